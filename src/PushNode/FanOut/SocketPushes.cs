using PushNode.Connections;
using PushNode.Framing;

namespace PushNode.FanOut;

/// <summary>Pushes a frame to members whose wires are sockets, many with one system call. Owned and used by one fan-out worker.</summary>
internal sealed class SocketPushes(ISocketSender sender) : IDisposable
{
    private readonly int[] _sockets = new int[sender.Capacity];
    private readonly int[] _accepted = new int[sender.Capacity];
    private readonly int[] _begun = new int[sender.Capacity];
    private readonly int[] _others = new int[sender.Capacity];

    public void Push(Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        while (!members.IsEmpty)
        {
            var count = Math.Min(members.Length, sender.Capacity);
            PushTogether(frame, members[..count], ref counts);
            members = members[count..];
        }
    }

    public void Dispose() => sender.Dispose();

    private void PushTogether(Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        int begun = 0, others = 0;
        for (var i = 0; i < members.Length; i++)
        {
            if (members[i].Connection.TryBeginSend(members[i]) is { } socket)
            {
                _sockets[begun] = socket;
                _begun[begun++] = i;
            }
            else
            {
                _others[others++] = i;
            }
        }

        sender.Send(frame.Bytes.Span, _sockets.AsSpan(0, begun), _accepted);
        for (var i = 0; i < begun; i++)
            counts.Add(members[_begun[i]].Connection.EndSend(frame, members[_begun[i]], _accepted[i]));

        // These may wait for a gate: only now, when none is held.
        foreach (var i in _others.AsSpan(0, others))
            counts.Add(members[i].Connection.TrySend(frame, members[i]));
    }
}
