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
    public long Read(string counter, string? reason = null) =>
        Measure(counter).Where(value => reason is null || Equals(value.Label, reason)).Sum(value => value.Value);

    /// <summary>A counter's values, as text: of all its labels.</summary>
    public string ReadAll(string counter) => string.Join(' ', Measure(counter).Select(value => $"{value.Label}={value.Value}"));

    private List<(object? Label, long Value)> Measure(string counter)
    {
        var values = new List<(object?, long)>();
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
        return values;

        void Add(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => values.Add((tags.Length == 1 ? tags[0].Value : null, value));
    }

    /// <summary>Calls the action with each value that a histogram records, until it is disposed.</summary>
    public MeterListener Listen(string histogram, Action<double> record)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (_meters.Contains(instrument.Meter) && instrument.Name == histogram)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => record(value));
        listener.Start();
        return listener;
    }

    /// <summary>Rule 6, once the node is quiet: each expected delivery happened or was counted as dropped.</summary>
    public void AssertDeliveriesClose() =>
        Assert.Equal(Read("push.deliveries_expected"), Read("push.deliveries") + Read("push.deliveries_dropped"));

    /// <summary>The same for a node whose threads may still be counting their last pushes.</summary>
    public Task DeliveriesCloseAsync() => Eventually.HoldsAsync(
        () => Read("push.deliveries_expected") == Read("push.deliveries") + Read("push.deliveries_dropped"), "each expected delivery has its outcome");

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
