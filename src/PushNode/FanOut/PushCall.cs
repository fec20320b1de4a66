using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// Pushes that leave together, of one frame or of several rooms' frames: with a sender by one system call, otherwise one after another. Owned by one
/// shard and used by its thread. The pushes of one call have no order, so no set of members may be in it with two frames.
/// </summary>
/// <param name="sender">Sends to many sockets at once, and is owned by this from now on; null if each wire sends by itself.</param>
/// <param name="single">Pushes to one member.</param>
/// <param name="failures">Counts and logs unhandled exceptions.</param>
internal sealed class PushCall(ISocketSender? sender, MemberPush single, Failures failures) : IDisposable
{
    /// <summary>The number of pushes in a call without a sender.</summary>
    private const int Stride = 64;

    private readonly (Frame Frame, Membership Member)[] _pushes = new (Frame, Membership)[sender?.Capacity ?? Stride];
    private readonly SocketSend[] _sends = new SocketSend[sender?.Capacity ?? 0];
    private readonly int[] _accepted = new int[sender?.Capacity ?? 0];
    private readonly int[] _begun = new int[sender?.Capacity ?? 0];
    private readonly int[] _others = new int[sender?.Capacity ?? 0];

    /// <summary>Null if there is none, or if it threw: its state is unknown, so it is not used again.</summary>
    private ISocketSender? _sender = sender;

    private int _count;

    /// <summary>The largest number of pushes.</summary>
    public int Capacity => _pushes.Length;

    /// <summary>The number of pushes that still fit.</summary>
    public int Free => _pushes.Length - _count;

    public bool IsEmpty => _count == 0;

    /// <summary>Adds a frame for members.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="members">At most <see cref="Free"/>.</param>
    public void Add(Frame frame, ReadOnlySpan<Membership> members)
    {
        foreach (var member in members)
            _pushes[_count++] = (frame, member);
    }

    /// <summary>Makes the call. Each push has one outcome, also if this throws.</summary>
    public void Send(PushTally tally)
    {
        var pushes = _pushes.AsSpan(0, _count);
        var before = tally.Pushes;
        try
        {
            // A single send is cheaper without a ring.
            if (_sender is not null && _count > 1)
                SendTogether(_sender, pushes, tally);
            else
                SendEach(pushes, tally);
        }
        finally
        {
            // A bug outside the pushes, which contain their own failures. Which of them it was does not matter then: they fail as a whole.
            for (var missing = _count - (tally.Pushes - before); missing > 0; missing--)
                tally.Add(pushes[^1].Frame, pushes[^1].Member, SendOutcome.Failed);
            // Otherwise it would keep ended connections alive.
            pushes.Clear();
            _count = 0;
        }
    }

    public void Dispose() => _sender?.Dispose();

    private void SendEach(ReadOnlySpan<(Frame Frame, Membership Member)> pushes, PushTally tally)
    {
        foreach (var (frame, member) in pushes)
            tally.Add(frame, member, single.Push(frame, member));
    }

    private void SendTogether(ISocketSender sender, ReadOnlySpan<(Frame Frame, Membership Member)> pushes, PushTally tally)
    {
        int begun = 0, others = 0, ended = 0;
        try
        {
            for (var i = 0; i < pushes.Length; i++)
            {
                if (TryBegin(pushes[i].Frame, pushes[i].Member, out var socket))
                {
                    _sends[begun] = new SocketSend(socket, pushes[i].Frame.Bytes);
                    _begun[begun++] = i;
                }
                else
                {
                    _others[others++] = i;
                }
            }

            if (TrySend(sender, begun))
            {
                while (ended < begun)
                {
                    var (push, accepted) = (pushes[_begun[ended]], _accepted[ended]);
                    ended++;
                    tally.Add(push.Frame, push.Member, single.End(push.Frame, push.Member, accepted));
                }
            }
        }
        finally
        {
            // Releases every gate exactly once. How much of the frame these sockets took is unknown.
            while (ended < begun)
            {
                var push = pushes[_begun[ended++]];
                tally.Add(push.Frame, push.Member, single.EndFailed(push.Frame, push.Member));
            }

            _sends.AsSpan(0, begun).Clear();
        }

        // These may wait for a gate, so they come last, when no gate is held. A client with two frames in the call gets the second one here, behind
        // what its socket may not have taken of the first.
        foreach (var i in _others.AsSpan(0, others))
            tally.Add(pushes[i].Frame, pushes[i].Member, single.Push(pushes[i].Frame, pushes[i].Member));
    }

    /// <summary>
    /// Takes a member's gate if its socket can be sent to now. If that throws, <see cref="MemberPush.Push"/> tries the member again and
    /// cuts it if it throws too.
    /// </summary>
    private bool TryBegin(Frame frame, Membership member, out int socket)
    {
        try
        {
            var begun = member.Connection.TryBeginSend(frame, member);
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

    private bool TrySend(ISocketSender sender, int count)
    {
        try
        {
            sender.Send(_sends.AsSpan(0, count), _accepted);
            return true;
        }
        catch (Exception e)
        {
            // A bug, or the kernel disabled the ring. Sockets that took part of the frame must not get another one.
            failures.Add(log => log.SenderFailed(e, count));
            _sender = null;
            sender.Dispose();
            return false;
        }
    }
}
