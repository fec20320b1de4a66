using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Problems;
using PushApi.Telemetry;
using PushApi.Tests.Hosting;
using PushBackplane;

namespace PushApi.Tests.Telemetry;

public class MetricsTests
{
    [Fact]
    public async Task Every_series_exists_from_the_start_at_zero()
    {
        await using var api = await ApiHost.StartAsync();
        var values = Read(api);
        string[] expected =
        [
            "push.api.messages target=room", "push.api.messages target=user", "push.api.messages target=broadcast",
            "push.api.idempotent result=first", "push.api.idempotent result=completed", "push.api.idempotent result=replayed",
            .. ProblemType.All.Select(kind => $"push.api.rejected reason={kind.Reason}"),
            "push.api.history.pages recovered=yes", "push.api.history.pages recovered=no", "push.api.history.pages recovered=not_asked",
            "push.api.history.messages ", "push.api.history.deletions ",
            "push.api.unauthorized fault=missing", "push.api.unauthorized fault=malformed", "push.api.unauthorized fault=unknown",
        ];
        Assert.Equal(expected.Order(), values.Keys.Order());
        Assert.All(values.Values, value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task Published_and_rejected_requests_are_counted_without_a_room_label()
    {
        await using var api = await ApiHost.StartAsync();
        await api.PostAsync("/v1/messages", "application/json", """{"rooms":["a","b","c"],"items":[1,2]}""");
        await api.PostAsync("/v1/rooms/a/messages", "text/plain", "x");
        await api.PostAsync("/push/all", "application/x-www-form-urlencoded", "items=[1,2,3,4]");
        await api.PostAsync("/v1/broadcast", "application/json", "{");
        await api.PostAsync("/nowhere", "application/json", "{");
        api.Backplane.Answer = _ => Task.FromResult<int?>(null);
        await api.PostAsync("/v1/broadcast", "application/json", "1");

        var values = Read(api);
        Assert.Equal(7, values["push.api.messages target=room"]);
        Assert.Equal(4, values["push.api.messages target=broadcast"]);
        Assert.Equal(
            ["push.api.rejected reason=bad_message", "push.api.rejected reason=not_confirmed", "push.api.rejected reason=not_found"],
            values.Where(value => value.Key.Contains("rejected") && value.Value == 1).Select(value => value.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Requests_with_a_key_count_by_result_and_their_messages_once()
    {
        await using var api = await ApiHost.StartAsync();
        foreach (var fresh in (string[])["ab", "b", "", ""])
        {
            api.Backplane.AnswerOnce = (channel, _) => fresh.Contains(channel[^1]) ? OnceOutcome.First(1) : OnceOutcome.Replayed(1);
            await api.PostAsync("/v1/messages", "application/json", """{"rooms":["a","b"],"items":[1,2]}"""u8.ToArray(), ("Idempotency-Key", "k"));
        }

        api.Backplane.AnswerOnce = (_, _) => new OnceOutcome(OnceResult.Reused);
        await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Idempotency-Key", "k"));
        await api.PostAsync("/v1/broadcast", "application/json", "1");

        var values = Read(api);
        Assert.Equal((1, 1, 2), (Idempotent("first"), Idempotent("completed"), Idempotent("replayed")));
        Assert.Equal(6, values["push.api.messages target=room"]);
        Assert.Equal(1, values["push.api.messages target=broadcast"]);
        Assert.Equal(1, values["push.api.rejected reason=key_reused"]);

        double Idempotent(string result) => values[$"push.api.idempotent result={result}"];
    }

    [Fact]
    public async Task Pages_count_by_what_was_recovered_and_deletions_only_if_done()
    {
        await using var api = await ApiHost.StartAsync();
        api.History.Append("1", "2");
        foreach (var query in (string[])["", "reverse=true&since=e.1", "since=e.1", "since=other.1", "limit=0"])
            await api.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/rooms/kept/messages?" + query));
        foreach (var failure in (string?[])[null, "it did not confirm in time"])
        {
            api.History.DeleteFailure = failure;
            await api.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/rooms/kept/messages"));
        }

        var values = Read(api);
        Assert.Equal((1, 1, 2), (Pages("yes"), Pages("no"), Pages("not_asked")));
        Assert.Equal((2 + 1 + 1 + 2, 1), (values["push.api.history.messages "], values["push.api.history.deletions "]));

        double Pages(string recovered) => values[$"push.api.history.pages recovered={recovered}"];
    }

    [Fact]
    public async Task Each_publish_is_timed()
    {
        await using var api = await ApiHost.StartAsync();
        using var listener = new MeterListener();
        var recorded = 0;
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (IsOf(api, instrument) && instrument.Name == "push.api.publish.duration")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref recorded));
        listener.Start();
        await api.PostAsync("/v1/broadcast", "application/json", "1");
        await api.PostAsync("/v1/broadcast", "application/json", "{");
        Assert.Equal(1, recorded);
    }

    [Fact]
    public async Task Each_key_has_its_counts_and_strangers_have_no_names()
    {
        var time = new ManualTime();
        var (a, b) = (new TestKey("a", Rooms: "x", Rate: 2, Burst: 3), new TestKey("b", "read"));
        await using var api = await ApiHost.StartAsync(_ => { }, time, TestKey.Settings(a, b));
        Assert.All(Read(api).Where(value => value.Key.Contains("key=") && !value.Key.Contains("key.rate")), value => Assert.Equal(0, value.Value));

        foreach (var (body, key) in new[] { ("[1,2]", a), ("[1,2]", a), ("[1,2,3,4]", a), ("[1]", b) })
            await api.PostAsync("/v1/messages", "application/json", Encoding.UTF8.GetBytes($$"""{"rooms":["x"],"items":{{body}}}"""), key.Bearer);
        await api.PostAsync("/v1/rooms/y/messages", "application/json", "1"u8.ToArray(), a.Bearer);
        await api.PostAsync("/v1/broadcast", "application/json", "1");
        await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("X-API-Key", "a b"));
        await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("X-API-Key", "stranger"));

        var values = Read(api);
        Assert.Equal(
            [
                "push.api.key.last_use key=a=1735787045", "push.api.key.last_use key=b=1735787045",
                "push.api.key.messages key=a=2", "push.api.key.messages key=b=0", "push.api.key.rate key=a=2", "push.api.key.rate key=b=0",
                "push.api.key.refused key=a reason=forbidden_room=1", "push.api.key.refused key=a reason=forbidden_scope=0",
                "push.api.key.refused key=a reason=rate_limited=1", "push.api.key.refused key=a reason=too_many_messages=1",
                "push.api.key.refused key=b reason=forbidden_room=0", "push.api.key.refused key=b reason=forbidden_scope=1",
                "push.api.key.refused key=b reason=rate_limited=0", "push.api.key.refused key=b reason=too_many_messages=0",
                "push.api.key.requests key=a=4", "push.api.key.requests key=b=1",
            ],
            values.Where(value => value.Key.Contains(" key=")).Select(value => $"{value.Key}={value.Value}").Order(StringComparer.Ordinal));
        Assert.Equal([1, 1, 1], values.Where(value => value.Key.Contains("unauthorized fault")).Select(value => value.Value));
        Assert.Equal(3, values["push.api.rejected reason=unauthorized"]);
    }

    private static bool IsOf(ApiHost api, Instrument instrument) =>
        instrument.Meter.Name == PushApiMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, api.Services.GetRequiredService<IMeterFactory>());

    internal static Dictionary<string, long> Read(ApiHost api)
    {
        var values = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (IsOf(api, instrument))
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => values.Add(
            $"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}", value));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }
}
