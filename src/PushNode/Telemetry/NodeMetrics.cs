using System.Diagnostics.Metrics;
using System.Globalization;
using PushNode.Messages;

namespace PushNode.Telemetry;

/// <summary>
/// The node's instruments: a method for each event. Counters are plain sums that the exporter reads, so that every series exists from the
/// start at 0. Hot paths add once per shard and frame, never per push. Lives as long as the node; any thread.
/// </summary>
internal sealed class NodeMetrics : IDisposable
{
    public const string MeterName = "RedisPush.Node";

    private static readonly double[] LockWaitBuckets = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1];
    private static readonly double[] FanOutBuckets = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5];
    private static readonly double[] LatencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10];
    private static readonly double[] BatchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

    private readonly Meter _meter;
    private readonly Histogram<double> _lockWait;
    private readonly Histogram<double> _queueWait;
    private readonly Histogram<double> _fanOut;
    private readonly Histogram<double> _latency;
    private readonly Histogram<int> _batchMessages;
    private readonly LabelledCounter<Variant> _open;
    private readonly LabelledCounter<Variant> _bytesSent;
    private readonly LabelledCounter<Variant> _batchesEncoded;
    private readonly LabelledCounter<Refusal> _refused;
    private readonly LabelledCounter<HandshakeCut> _handshakesCut;
    private readonly LabelledCounter<RequestRefusal> _requestsRefused;
    private readonly LabelledCounter<MessageDrop> _messagesDropped;
    private readonly LabelledCounter<DeliveryDrop> _deliveriesDropped;
    private readonly LabelledCounter<ControlResult> _controlMessages;
    private readonly LabelledCounter<SendResult> _sends;
    private readonly LabelledCounter<HistoryResult> _historyRequests;
    private readonly LabelledCounter<TokenVerdict> _tokens;
    private readonly LabelledCounter<KeySetReading> _keySetReads;
    private readonly LabelledCounter<FailedStage> _failures;
    private readonly Dictionary<string, int> _closeReasons;
    private readonly long[] _closed;

    private long _accepted;
    private long _loopHandshakes;
    private long _acceptPauses;
    private long _messagesRefused;
    private long _received;
    private long _merged;
    private long _batches;
    private long _framesSent;
    private long _joinsWaiting;
    private long _expected;
    private long _deflateInput;
    private long _deflateOutput;
    private long _deliveries;
    private Func<int> _rooms = static () => 0;
    private Func<bool> _draining = static () => false;
    private Func<TimeSpan> _keySetAge = static () => TimeSpan.Zero;
    private Func<int> _restrictions = static () => 0;
    private Func<long> _outboxes = static () => 0;
    private long _outboxLimit;

    /// <param name="meters">Creates the meter.</param>
    /// <param name="closeReasons">All values of push_connections_closed_total's label.</param>
    /// <param name="connectionLimit">The maximum number of connections.</param>
    /// <param name="roomLimit">The maximum number of rooms.</param>
    public NodeMetrics(IMeterFactory meters, IEnumerable<string> closeReasons, int connectionLimit, int roomLimit)
    {
        _closeReasons = closeReasons.Select((reason, index) => (reason, index)).ToDictionary(pair => pair.reason, pair => pair.index);
        _closed = new long[_closeReasons.Count];
        _meter = meters.Create(MeterName);

        _meter.CreateObservableUpDownCounter("push.connections", () => Connections, "{connection}", "Open connections.");
        _open = new(_meter, "push.variant_connections", "{connection}", "Open connections, by variant.", label: "variant", canFall: true);
        _meter.CreateObservableGauge("push.connections_limit", () => connectionLimit, "{connection}", "Open connections beyond which upgrades are refused.");
        _meter.CreateObservableGauge("push.rooms_limit", () => roomLimit, "{room}", "The maximum number of rooms.");
        _meter.CreateObservableUpDownCounter("push.rooms", () => _rooms(), "{room}", "Rooms the node is subscribed to, lingering ones included.");
        _meter.CreateObservableGauge(
            "push.draining", () => _draining() ? 1 : 0, null, "1 while the node refuses and closes clients, by command or at its end; 0 otherwise.");
        _meter.CreateObservableGauge("push.restrictions", () => _restrictions(), "{restriction}", "Bans and mutes that the node knows.");
        Counter("push.connections_accepted", () => Read(ref _accepted), "{connection}", "Connections accepted, whatever their variant.");
        Counter("push.loop_handshakes", () => Read(ref _loopHandshakes), "{connection}", "Connections that an epoll loop accepted itself, without Kestrel.");
        _refused = new(_meter, "push.connections_refused", "{connection}", "Clients refused, by reason.");
        _handshakesCut = new(_meter, "push.handshakes_cut", "{connection}", "Connections cut before they were open, by reason.");
        _requestsRefused = new(_meter, "push.requests_refused", "{request}", "Clients' requests refused by a limit, by reason.");
        _meter.CreateObservableUpDownCounter("push.joins_waiting", () => Read(ref _joinsWaiting), "{join}", "JOINs that wait for Redis.");
        _meter.CreateObservableCounter("push.connections_closed", ObserveClosed, "{connection}", "Connections ended, by reason.");
        Counter(
            "push.accept_pauses", () => Read(ref _acceptPauses), "{pause}", "Times that accepting paused because the process was out of descriptors or memory.");
        Counter(
            "push.client_messages_refused", () => Read(ref _messagesRefused), "{message}", "Frames of clients that were not processed because the client sent too many.");
        _meter.CreateObservableGauge("push.outbox", () => _outboxes(), "By", "Bytes queued in all outboxes together, each shared frame counted once.");
        _meter.CreateObservableGauge("push.outbox_limit", () => _outboxLimit, "By", "The maximum of bytes queued in all outboxes together.");
        Counter("push.messages_received", () => Read(ref _received), "{message}", "Messages received from the backplane.");
        Counter("push.messages_merged", () => Read(ref _merged), "{message}", "Messages that left in a batch.");
        _messagesDropped = new(_meter, "push.messages_dropped", "{message}", "Messages dropped before a batch, by reason.");
        Counter("push.batches", () => Read(ref _batches), "{batch}", "Batches that left the merge stage.");
        Counter("push.frames_sent", () => Read(ref _framesSent), "{frame}", "PUSH frames accepted by a connection's socket or stream: the push rate.");
        _bytesSent = new(
            _meter, "push.sent", "By",
            "Bytes accepted by sockets or streams, headers and control frames included, by the clients' variant: the bandwidth.", label: "variant");
        _batchesEncoded = new(
            _meter, "push.batches_encoded", "{encoding}", "Encodings of PUSH batches, one for each batch and variant that has members.", label: "variant");
        Counter("push.deflate_input", () => Read(ref _deflateInput), "By", "Bytes of the frames that were deflated, before; also of those that did not shrink.");
        Counter("push.deflate_output", () => Read(ref _deflateOutput), "By", "Bytes of the same frames, after.");
        Counter("push.deliveries_expected", () => Read(ref _expected), "{delivery}", "Batch size times the members listed when the batch was fanned out.");
        Counter("push.deliveries", () => Read(ref _deliveries), "{delivery}", "Messages accepted by a connection's socket or stream.");
        _deliveriesDropped = new(_meter, "push.deliveries_dropped", "{delivery}", "Expected deliveries that did not happen, by reason.");
        _controlMessages = new(_meter, "push.control_messages", "{message}", "Messages on the control channel, by result.", label: "result");
        _tokens = new(_meter, "push.tokens", "{token}", "Clients' tokens, by verdict.", label: "verdict");
        _keySetReads = new(_meter, "push.key_set_reads", "{reading}", "Readings of Push:Auth:Jwks, by result.", label: "result");
        _sends = new(_meter, "push.sends", "{send}", "Clients' SENDs that have ended, by result.", label: "result");
        _historyRequests = new(_meter, "push.history_requests", "{request}", "Clients' HISTORYs that have ended, by result.", label: "result");
        _meter.CreateObservableGauge("push.key_set_age", () => _keySetAge().TotalSeconds, "s", "Time since Push:Auth:Jwks was last read.");

        _failures = new(_meter, "push.failures", "{exception}", "Unhandled exceptions, which are bugs; each affects one room or one client.", label: "stage");

        _batchMessages = _meter.CreateHistogram(
            "push.batch_messages", "{message}", "Messages in a batch.", advice: Buckets(Array.ConvertAll(BatchBuckets, bound => (int)bound)));
        _lockWait = _meter.CreateHistogram(
            "push.shard_lock_wait", "s", "Waits for a shard's lock, every acquisition; uncontended ones count as 0.", advice: Buckets(LockWaitBuckets));
        _queueWait = _meter.CreateHistogram(
            "push.shard_queue_wait", "s", "From a frame's dispatch until a shard begins with it: the frames before it, one turn of each.",
            advice: Buckets(FanOutBuckets));
        _fanOut = _meter.CreateHistogram(
            "push.fanout_duration", "s", "From a frame's dispatch until every shard has tried every member.", advice: Buckets(FanOutBuckets));
        _latency = _meter.CreateHistogram(
            "push.publish_latency", "s", "From the publisher's clock to the last member written, for the oldest message of a batch.",
            advice: Buckets(LatencyBuckets));
    }

    /// <summary>Connections accepted and not yet ended.</summary>
    public long Connections => Read(ref _accepted) - ClosedTotal();

    /// <summary>Connections accepted since the start.</summary>
    public long ConnectionsAccepted => Read(ref _accepted);

    /// <summary>Messages received from the backplane since the start.</summary>
    public long Received => Read(ref _received);

    /// <summary>Messages that have left in a batch since the start.</summary>
    public long Merged => Read(ref _merged);

    /// <summary>Messages dropped before a batch since the start.</summary>
    public long MessagesLost => _messagesDropped.Total;

    /// <summary>PUSH frames that connections have accepted since the start.</summary>
    public long Pushes => Read(ref _framesSent);

    /// <summary>Messages that connections have accepted since the start.</summary>
    public long Deliveries => Read(ref _deliveries);

    /// <summary>Expected deliveries that have not happened since the start.</summary>
    public long DeliveriesLost => _deliveriesDropped.Total;

    /// <summary>Sets the source of the number of rooms, read at each export.</summary>
    public void CountRooms(Func<int> rooms) => _rooms = rooms;

    /// <summary>Sets the source of the number of bans and mutes, read at each export.</summary>
    public void CountRestrictions(Func<int> restrictions) => _restrictions = restrictions;

    /// <summary>Sets the source of whether the node drains, read at each export.</summary>
    public void ShowDraining(Func<bool> draining) => _draining = draining;

    /// <summary>Sets the source of the number of connections that are not open yet, read at each export, and their limit.</summary>
    public void ShowHandshakes(Func<int> pending, int limit)
    {
        _meter.CreateObservableUpDownCounter("push.handshakes_pending", pending, "{connection}", "Connections on the clients' ports that are not open yet.");
        _meter.CreateObservableGauge("push.handshakes_limit", () => limit, "{connection}", "The maximum number of connections that are not open yet.");
    }

    /// <summary>Sets the source of the number of connections on each epoll loop, read at each export.</summary>
    public void ShowLoops(Func<int[]> connections) => _meter.CreateObservableUpDownCounter(
        "push.loop_connections",
        () => connections().Select((count, loop) => new Measurement<int>(count, KeyValuePair.Create("loop", (object?)loop.ToString(CultureInfo.InvariantCulture)))),
        "{connection}", "Connections on each epoll loop, open or not yet.");

    /// <summary>Sets the sources of the addresses whose use is remembered, and of those forgotten too early, read at each export.</summary>
    public void ShowAddresses(Func<int> remembered, Func<long> forgotten)
    {
        _meter.CreateObservableUpDownCounter(
            "push.addresses", remembered, "{address}", "Clients' addresses (IPv6 networks) whose connections and handshakes are counted for limits.");
        Counter("push.addresses_forgotten", forgotten, "{address}", "Addresses without a connection forgotten early, because there were too many.");
    }

    /// <summary>Sets the source of the bytes queued for all clients together, read at each export, and their limit.</summary>
    public void MeasureOutboxes(Func<long> bytes, long limit) => (_outboxes, _outboxLimit) = (bytes, limit);

    /// <summary>Sets the source of the time since the key set was last read, read at each export.</summary>
    public void ShowKeySetAge(Func<TimeSpan> age) => _keySetAge = age;

    public void ConnectionAccepted(Variant variant)
    {
        Interlocked.Increment(ref _accepted);
        _open.Add(1, variant);
    }

    public void ConnectionRefused(Refusal reason) => _refused.Add(1, reason);

    public void HandshakeCut(HandshakeCut reason) => _handshakesCut.Add(1, reason);

    public void RequestRefused(RequestRefusal reason) => _requestsRefused.Add(1, reason);

    /// <summary>Changes the number of JOINs that wait for the backplane.</summary>
    public void JoinsWaiting(int change) => Interlocked.Add(ref _joinsWaiting, change);

    public void ConnectionClosed(string reason, Variant variant)
    {
        Interlocked.Increment(ref _closed[_closeReasons[reason]]);
        _open.Add(-1, variant);
    }

    public void TokenVerified(TokenVerdict verdict) => _tokens.Add(1, verdict);

    public void KeySetRead(KeySetReading result) => _keySetReads.Add(1, result);

    public void ControlMessage(ControlResult result) => _controlMessages.Add(1, result);

    /// <summary>Sets the sources of the SENDs that wait for the backplane and of their bytes, read at each export, and the bytes' limit.</summary>
    public void CountSends(Func<long> inFlight, Func<long> bytes, long limit)
    {
        _meter.CreateObservableUpDownCounter("push.sends_in_flight", inFlight, "{send}", "Clients' SENDs that wait for the backplane.");
        _meter.CreateObservableGauge("push.sends_pending", bytes, "By", "Bytes of the messages that wait for the backplane.");
        _meter.CreateObservableGauge("push.sends_pending_limit", () => limit, "By", "The maximum of bytes of SENDs that wait for the backplane.");
    }

    /// <summary>Sets the source of the HISTORYs that are not answered yet, read at each export.</summary>
    public void CountHistoryRequests(Func<int> open) =>
        _meter.CreateObservableUpDownCounter("push.history_requests_open", open, "{request}", "Clients' HISTORYs that are not answered yet.");

    public void HistoryRequestEnded(HistoryResult result) => _historyRequests.Add(1, result);

    public void SendEnded(SendResult result) => _sends.Add(1, result);

    /// <summary>A loop has answered a handshake itself.</summary>
    public void LoopHandshake() => Interlocked.Increment(ref _loopHandshakes);

    public void AcceptPaused() => Interlocked.Increment(ref _acceptPauses);

    /// <summary>Counts one client's frames that were not processed because it sent too many.</summary>
    public void ClientMessagesRefused(int count) => Interlocked.Add(ref _messagesRefused, count);

    public void MessagesReceived(int count) => Interlocked.Add(ref _received, count);

    public void MessagesDropped(int count, MessageDrop reason) => _messagesDropped.Add(count, reason);

    public void BatchMerged(int messages)
    {
        Interlocked.Add(ref _merged, messages);
        Interlocked.Increment(ref _batches);
        _batchMessages.Record(messages);
    }

    public void Failed(FailedStage stage) => _failures.Add(1, stage);

    public void DeliveriesExpected(long count) => Interlocked.Add(ref _expected, count);

    public void DeliveriesDropped(long count, DeliveryDrop reason) => _deliveriesDropped.Add(count, reason);

    /// <summary>PUSH frames that were accepted whole. <see cref="BytesSent"/> counts their bytes.</summary>
    public void FramesSent(long frames, long deliveries)
    {
        Interlocked.Add(ref _framesSent, frames);
        Interlocked.Add(ref _deliveries, deliveries);
    }

    public void BytesSent(long bytes, Variant variant) => _bytesSent.Add(bytes, variant);

    /// <summary>A PUSH was encoded for the members of a variant.</summary>
    public void BatchEncoded(Variant variant) => _batchesEncoded.Add(1, variant);

    /// <summary>A frame was deflated.</summary>
    public void Deflated(int before, int after)
    {
        Interlocked.Add(ref _deflateInput, before);
        Interlocked.Add(ref _deflateOutput, after);
    }

    /// <summary>Acquisitions of shards' locks that did not wait.</summary>
    public void ShardLocksTaken(long uncontended)
    {
        for (var i = 0L; i < uncontended; i++)
            _lockWait.Record(0);
    }

    public void ShardLockWaited(TimeSpan wait) => _lockWait.Record(wait.TotalSeconds);

    /// <summary>A shard begins to push a frame.</summary>
    public void FrameWaited(TimeSpan wait) => _queueWait.Record(wait.TotalSeconds);

    public void FrameLeft(TimeSpan duration) => _fanOut.Record(duration.TotalSeconds);

    /// <summary>Counts as 0 if the publisher's clock is ahead of this one.</summary>
    public void BatchPublished(TimeSpan latency) => _latency.Record(Math.Max(0, latency.TotalSeconds));

    public void Dispose() => _meter.Dispose();

    private static long Read(ref long counter) => Interlocked.Read(ref counter);

    private static InstrumentAdvice<T> Buckets<T>(T[] bounds) where T : struct => new() { HistogramBucketBoundaries = bounds };

    private void Counter(string name, Func<long> value, string unit, string description) =>
        _meter.CreateObservableCounter(name, value, unit, description);

    private long ClosedTotal()
    {
        long total = 0;
        for (var i = 0; i < _closed.Length; i++)
            total += Read(ref _closed[i]);
        return total;
    }

    private IEnumerable<Measurement<long>> ObserveClosed() =>
        _closeReasons.Select(reason => new Measurement<long>(
            Read(ref _closed[reason.Value]), new KeyValuePair<string, object?>("reason", reason.Key)));
}
