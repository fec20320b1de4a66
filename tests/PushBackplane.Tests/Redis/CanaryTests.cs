using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Telemetry;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class CanaryTests : IAsyncLifetime
{
    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Two_processes_with_one_name_are_both_warned_once()
    {
        var settings = new BackplaneSettings { CanaryTimeout = TimeSpan.FromSeconds(1) };
        await using var one = await TestBackplane.UpAsync(_server, "same", settings);
        await using var two = await TestBackplane.UpAsync(_server, "same", settings);

        await Eventually.HoldsAsync(() => one.Log.Count(2003) > 0 && two.Log.Count(2003) > 0, "the warnings");
        // Further canaries of strangers, which must cause no second warning.
        for (var i = 0; i < 10; i++)
            await _server.CliAsync("PUBLISH", "push:canary:same", $"{Guid.NewGuid():N} 1");
        await one.PublishAsync("push:all", new byte[1]);
        Assert.Equal(1, one.Log.Count(2003));
        Assert.Equal(1, two.Log.Count(2003));
    }

    [Fact]
    public async Task Rubbish_on_the_canary_channel_is_ignored()
    {
        await using var node = await TestBackplane.UpAsync(_server, "node");
        string[] rubbish = ["", "x", "{}", new('f', 32), $"{new string('f', 32)} ", $"{new string('f', 32)} -1", $"{new string('g', 32)} 1", $"{new string('f', 32)} 99999999999999999999"];
        foreach (var payload in rubbish)
            Assert.Equal("1", await _server.CliAsync("PUBLISH", "push:canary:node", payload));

        // After one more round trip on the same socket, everything before it has been handled.
        var handled = new TaskCompletionSource();
        await node.SubscribeAsync("push:all", _ => handled.TrySetResult());
        await _server.CliAsync("PUBLISH", "push:all", "x");
        await handled.Task;
        Assert.Equal(0, node.Log.Count(2003));
        Assert.True(node.Server.IsUp);
    }

    [Fact]
    public async Task A_Redis_that_forbids_the_canary_channel_is_not_ready_and_says_why()
    {
        await _server.CliAsync("ACL", "SETUSER", "default", "resetchannels", "&push:room:*");
        await using var node = await TestBackplane.StartAsync(_server.EndPoint, "node");
        await Eventually.HoldsAsync(() => node.Log.Text.Contains("its ACL forbids the user a channel that SUBSCRIBE needs (NOPERM)", StringComparison.Ordinal), "the refusal is logged");
        Assert.False(node.Server.IsUp);
        Assert.NotNull(node.Backplane.NotReadyBecause);

        await _server.CliAsync("ACL", "SETUSER", "default", "allchannels");
        await node.IsUpAsync();
    }

    [Fact]
    public async Task Metrics_show_outages_round_trips_and_reconnects()
    {
        await using var node = await TestBackplane.StartAsync(_server.EndPoint);
        var values = new Dictionary<string, double>();
        var roundTrips = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == node.Services.GetRequiredService<IMeterFactory>())
                self.EnableMeasurementEvents(instrument);
        };
        // One series each, with the server's address as its only label.
        string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags is [("server", var server)] && _server.EndPoint.Equals(server) ? instrument.Name : "wrong";
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => values[Key(instrument, tags)] = value);
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => values[Key(instrument, tags)] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            Assert.Equal(instrument.Name, Key(instrument, tags));
            Assert.InRange(value, 0, 60);
            if (instrument.Name == "push.backplane.lateness")
                values[instrument.Name] = value;
            else if (instrument.Name == "push.backplane.roundtrip")
                Interlocked.Increment(ref roundTrips);
            else
                Assert.Fail(instrument.Name);
        });
        listener.Start();
        Assert.Equal("RedisPush.Backplane", BackplaneMetrics.MeterName);

        await node.IsUpAsync();
        await Eventually.HoldsAsync(() => Observe()["push.backplane.up"] == 1, "up");
        Assert.Equal(0, values["push.backplane.reconnects"]);
        Assert.Contains("push.backplane.lateness", values.Keys);
        await Eventually.HoldsAsync(() => Volatile.Read(ref roundTrips) > 0, "a round trip");

        await _server.StopAsync();
        await Eventually.HoldsAsync(() => Observe()["push.backplane.up"] == 0 && !values.ContainsKey("push.backplane.lateness"), "away, and so never late");
        await _server.StartAsync();
        await Eventually.HoldsAsync(() => Observe()["push.backplane.up"] == 1, "up again");
        Assert.Equal(1, values["push.backplane.reconnects"]);

        Dictionary<string, double> Observe()
        {
            values.Clear();
            listener.RecordObservableInstruments();
            return values;
        }
    }
}
