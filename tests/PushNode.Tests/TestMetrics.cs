using System.Diagnostics.Metrics;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.Tests;

/// <summary>The node's metrics with a listener that reads them. Any thread.</summary>
internal sealed class TestMetrics : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public TestMetrics() => Node = new NodeMetrics(this, CloseReason.All.Select(reason => reason.Label), connectionLimit: 100, roomLimit: 1000);

    public NodeMetrics Node { get; }

    /// <summary>A counter's value: of one reason, or the sum of all.</summary>
    public long Read(string counter, string? reason = null)
    {
        long sum = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (_meters.Contains(instrument.Meter) && instrument.Name == counter)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(value, tags));
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => Add(value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return sum;

        void Add(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (reason is null || (tags.Length == 1 && Equals(tags[0].Value, reason)))
                sum += value;
        }
    }

    /// <summary>Rule 6, once the node is quiet: each expected delivery happened or was counted as dropped.</summary>
    public void AssertDeliveriesClose() =>
        Assert.Equal(Read("push.deliveries_expected"), Read("push.deliveries") + Read("push.deliveries_dropped"));

    /// <summary>Rule 6, once the node is quiet: each received message was merged or counted as dropped.</summary>
    public void AssertMessagesClose() =>
        Assert.Equal(Read("push.messages_received"), Read("push.messages_merged") + Read("push.messages_dropped"));

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(meter => meter.Dispose());
}
