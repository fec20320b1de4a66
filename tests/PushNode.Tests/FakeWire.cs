using PushNode.Connections;

namespace PushNode.Tests;

/// <summary>
/// A wire that takes what a test lets it take, and keeps it. Throws when it is touched after its connection has ended, as a real one might:
/// by then its stream belongs to somebody else. Called under the connection's gate; read by any thread.
/// </summary>
internal sealed class FakeWire : IWire
{
    private readonly Lock _lock = new();
    private readonly List<byte> _taken = [];
    private long _budget = long.MaxValue;
    private bool _ended;

    public FakeWire() => Socket = FakeSender.Number(this);

    /// <summary>Bytes it takes before it is full.</summary>
    public long Budget
    {
        get
        {
            lock (_lock)
                return _budget;
        }

        set
        {
            lock (_lock)
                _budget = value;
        }
    }

    /// <summary>Runs at the beginning of each write.</summary>
    public Action OnWrite { get; set; } = static () => { };

    public bool IsCompleted { get; private set; }

    public bool IsAborted { get; private set; }

    /// <summary>All bytes taken so far.</summary>
    public byte[] Taken
    {
        get
        {
            lock (_lock)
                return [.. _taken];
        }
    }

    /// <summary>No socket, but a number by which <see cref="FakeSender"/> finds this; null for a wire that sends by itself.</summary>
    public int? Socket { get; set; }

    public void Attach(Connection connection)
    {
        // A test says itself when the connection may write.
    }

    /// <summary>What the kernel was told; null if nothing.</summary>
    public TimeSpan? UnacknowledgedLimit { get; private set; }

    public void LimitUnacknowledged(TimeSpan time) => UnacknowledgedLimit = time;

    public Task RunAsync() => Task.CompletedTask;

    public int TryWrite(ReadOnlyMemory<byte> bytes)
    {
        OnWrite();
        lock (_lock)
        {
            ThrowIfEnded();
            var accepted = (int)Math.Min(_budget, bytes.Length);
            _budget -= accepted;
            _taken.AddRange(bytes.Span[..accepted]);
            return accepted;
        }
    }

    public void Complete()
    {
        ThrowIfEnded();
        IsCompleted = true;
    }

    public void Abort()
    {
        ThrowIfEnded();
        IsAborted = true;
    }

    /// <summary>From now on it must not be used.</summary>
    public void End() => _ended = true;

    private void ThrowIfEnded()
    {
        if (_ended)
            throw new InvalidOperationException("The wire is touched after its connection has ended.");
    }
}
