using PushNode.Messages;

namespace PushNode.Connections;

/// <content>The head of a handshake's answer, for a handshake that the wire's reader answers itself.</content>
internal sealed partial class Connection
{
    /// <summary>
    /// Holds the head of the handshake's answer, and everything that is sent after it, until <see cref="EndOpening"/>. Called by the reader before
    /// anybody else knows the connection: frames of other threads then stand behind the head.
    /// </summary>
    public void BeginOpening(Frame head)
    {
        lock (this)
        {
            _isCorked = true;
            _outbox = NewOutbox();
            _outbox.Add(new Outbox.Entry(head, null));
        }
    }

    /// <summary>Sends what is held, in one write if it is little. Like other heads, this one is not counted as sent.</summary>
    public void EndOpening(Frame head)
    {
        lock (this)
        {
            _isCorked = false;
            // Unless it held so much that it was sent already.
            if (_outbox is null)
                return;
            var held = _outbox.Next();
            var accepted = _wire.TryWrite(held);
            _rules.Metrics.BytesSent(Math.Max(0, accepted - head.Length), _variant);
            var (pushes, deliveries) = _outbox.Accept(accepted);
            if (pushes > 0)
                _rules.Metrics.FramesSent(pushes, deliveries);
            if (accepted < held.Length)
                return;
            if (_outbox.IsEmpty)
                _outbox = null;
            DrainLocked();
        }
    }
}
