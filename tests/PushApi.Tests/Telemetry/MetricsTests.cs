using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Problems;
using PushApi.Telemetry;
using PushApi.Tests.Hosting;

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
            "push.api.messages target=room", "push.api.messages target=broadcast", .. ProblemType.All.Select(kind => $"push.api.rejected reason={kind.Reason}"),
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
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => values.Add($"{instrument.Name} {tags[0].Key}={tags[0].Value}", value));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }
}
