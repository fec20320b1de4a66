using System.Collections.Concurrent;
using PushNode.Connections;

namespace PushNode.Tests;

/// <summary>Sends to fake wires by their numbers, few at a time, so that a shard's members make several calls.</summary>
internal sealed class FakeSender : ISocketSender
{
    private static readonly ConcurrentDictionary<int, FakeWire> Wires = new();
    private static int _last;

    public int Capacity => 3;

    /// <summary>Runs before each call's sends, and may throw.</summary>
    public Action<int> OnSend { get; init; } = static _ => { };

    public bool IsDisposed { get; private set; }

    /// <summary>Gives a wire the number that stands for its socket.</summary>
    public static int Number(FakeWire wire)
    {
        var number = Interlocked.Increment(ref _last);
        Wires[number] = wire;
        return number;
    }

    public void Send(ReadOnlySpan<SocketSend> sends, Span<int> accepted)
    {
        Assert.InRange(sends.Length, 0, Capacity);
        var sockets = new HashSet<int>();
        foreach (var send in sends)
            Assert.True(sockets.Add(send.Socket), "A call has one send for each socket.");
        OnSend(sends.Length);
        for (var i = 0; i < sends.Length; i++)
            accepted[i] = Wires[sends[i].Socket].TryWrite(sends[i].Bytes.ToArray());
    }

    public void Dispose() => IsDisposed = true;
}
