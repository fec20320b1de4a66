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

    public void Send(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> sockets, Span<int> accepted)
    {
        Assert.InRange(sockets.Length, 0, Capacity);
        OnSend(sockets.Length);
        for (var i = 0; i < sockets.Length; i++)
            accepted[i] = Wires[sockets[i]].TryWrite(bytes.ToArray());
    }

    public void Dispose() => IsDisposed = true;
}
