using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>Pushes to one member at a time. A push that throws is a bug, which costs only this member its connection. Any thread.</summary>
internal sealed class MemberPush(Failures failures)
{
    /// <inheritdoc cref="Connection.TrySend"/>
    public SendOutcome Push(Frame frame, Membership member)
    {
        try
        {
            return member.Connection.TrySend(frame, member);
        }
        catch (Exception bug)
        {
            return Fail(frame, member, bug);
        }
    }

    /// <inheritdoc cref="Connection.EndSend"/>
    public SendOutcome End(Frame frame, Membership member, int accepted)
    {
        try
        {
            return member.Connection.EndSend(frame, member, accepted);
        }
        catch (Exception bug)
        {
            return Fail(frame, member, bug);
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
        catch (Exception bug)
        {
            failures.Add(log => log.MemberFailed(bug));
        }

        return outcome;
    }

    /// <summary>A push threw, and its gate is given back: cuts the connection.</summary>
    public SendOutcome Fail(Frame frame, Membership member, Exception bug)
    {
        var outcome = SendOutcome.Failed;
        failures.Add(log => log.MemberFailed(bug));
        try
        {
            member.Connection.Fail(frame, ref outcome);
        }
        catch (Exception again)
        {
            // The wire cannot even be aborted. The connection is closing all the same, and gets no frame any more.
            failures.Add(log => log.MemberFailed(again));
        }

        return outcome;
    }
}
