using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>Pushes a frame to many members' sockets with one system call. Owned by one shard and used by its thread.</summary>
internal sealed class SocketPushes(ISocketSender sender, MemberPush single, Failures failures) : IDisposable
{
    private readonly int[] _sockets = new int[sender.Capacity];
    private readonly int[] _accepted = new int[sender.Capacity];
    private readonly int[] _begun = new int[sender.Capacity];
    private readonly int[] _others = new int[sender.Capacity];

    /// <summary>The sender threw: its state is unknown, so it is not used again.</summary>
    public bool IsBroken { get; private set; }

    public void Push(Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        while (!members.IsEmpty && !IsBroken)
        {
            var count = Math.Min(members.Length, sender.Capacity);
            PushTogether(frame, members[..count], ref counts);
            members = members[count..];
        }

        foreach (var member in members)
            counts.Add(single.Push(frame, member));
    }

    public void Dispose() => sender.Dispose();

    private void PushTogether(Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        int begun = 0, others = 0, ended = 0;
        try
        {
            for (var i = 0; i < members.Length; i++)
            {
                if (TryBegin(members[i], out var socket))
                {
                    _sockets[begun] = socket;
                    _begun[begun++] = i;
                }
                else
                {
                    _others[others++] = i;
                }
            }

            if (TrySend(frame, begun))
            {
                while (ended < begun)
                {
                    var (member, accepted) = (members[_begun[ended]], _accepted[ended]);
                    ended++;
                    counts.Add(single.End(frame, member, accepted));
                }
            }
        }
        finally
        {
            // Releases every gate exactly once. How much of the frame these sockets took is unknown.
            while (ended < begun)
                counts.Add(single.EndFailed(frame, members[_begun[ended++]]));
        }

        // These may wait for a gate, so they come last, when no gate is held.
        foreach (var i in _others.AsSpan(0, others))
            counts.Add(single.Push(frame, members[i]));
    }

    /// <summary>
    /// Takes a member's gate if its socket can be sent to now. If that throws, <see cref="MemberPush.Push"/> tries the member again and
    /// cuts it if it throws too.
    /// </summary>
    private bool TryBegin(Membership member, out int socket)
    {
        try
        {
            var begun = member.Connection.TryBeginSend(member);
            socket = begun ?? 0;
            return begun is not null;
        }
        catch (Exception e)
        {
            failures.Add(log => log.MemberFailed(e));
            socket = 0;
            return false;
        }
    }

    private bool TrySend(Frame frame, int count)
    {
        try
        {
            sender.Send(frame.Bytes.Span, _sockets.AsSpan(0, count), _accepted);
            return true;
        }
        catch (Exception e)
        {
            // A bug, or the kernel disabled the ring. Sockets that took part of the frame must not get another one.
            IsBroken = true;
            failures.Add(log => log.SenderFailed(e, count));
            return false;
        }
    }
}
