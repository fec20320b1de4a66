using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>Pushes to one member at a time. If a push throws, which is a bug, only this member's connection is cut. Any thread.</summary>
internal sealed class MemberPush(Failures failures)
{
    /// <inheritdoc cref="Connection.TrySend"/>
    public SendOutcome Push(Frame frame, Membership member)
    {
        try
        {
            return member.Connection.TrySend(frame, member);
        }
        catch (Exception e)
        {
            return Fail(frame, member, e);
        }
    }

    /// <inheritdoc cref="Connection.EndSend"/>
    public SendOutcome End(Frame frame, Membership member, int accepted)
    {
        try
        {
            return member.Connection.EndSend(frame, member, accepted);
        }
        catch (Exception e)
        {
            return Fail(frame, member, e);
        }
    }

    /// <inheritdoc cref="Connection.EndFailedSend"/>
    public SendOutcome EndFailed(Frame frame, Membership member)
    {
        var outcome = SendOutcome.Failed;
        try
        {
            member.Connection.EndFailedSend(frame, ref outcome);
        }
        catch (Exception e)
        {
            failures.Add(log => log.MemberFailed(e));
        }

        return outcome;
    }

    /// <summary>A push threw, and its gate is released: cuts the connection.</summary>
    public SendOutcome Fail(Frame frame, Membership member, Exception e)
    {
        var outcome = SendOutcome.Failed;
        failures.Add(log => log.MemberFailed(e));
        try
        {
            member.Connection.Fail(frame, ref outcome);
        }
        catch (Exception again)
        {
            // Aborting the wire failed too. The connection is closing anyway and gets no more frames.
            failures.Add(log => log.MemberFailed(again));
        }

        return outcome;
    }
}
