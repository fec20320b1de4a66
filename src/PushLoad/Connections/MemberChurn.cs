using PushLoad.Measurement;
using PushLoad.Plans;

namespace PushLoad.Connections;

/// <summary>Lets members leave and rejoin, and connections close and reopen, at the plan's rates. Owned by a loop; one thread.</summary>
internal sealed class MemberChurn(LoadLoop loop, WorkerPlan plan, LoadConnection[] connections)
{
    private const long RejoinAfter = Clock.Second / 2;
    private const int PicksToTry = 16;

    private readonly Queue<(long Due, LoadConnection Connection, Membership Membership, int Generation)> _toJoin = new();
    private readonly Pace _leaves = new(plan.Churn / plan.Threads);
    private readonly Pace _reconnects = new(plan.Reconnects / plan.Threads);
    private readonly Random _random = new();

    /// <summary>Publishing begins: from now on leaves and reconnects fall due.</summary>
    public void Begin()
    {
        _leaves.Restart(loop.Now);
        _reconnects.Restart(loop.Now);
    }

    public void JoinLater(LoadConnection connection, Membership membership) =>
        _toJoin.Enqueue((loop.Now + RejoinAfter, connection, membership, connection.Generation));

    /// <summary>Sends the JOINs that are due.</summary>
    public void JoinDue()
    {
        while (_toJoin.TryPeek(out var next) && next.Due <= loop.Now)
        {
            _toJoin.Dequeue();
            if (next.Connection.Generation == next.Generation && next.Connection.State == ConnectionState.Open)
                next.Connection.Rooms.Join(next.Membership);
        }
    }

    /// <summary>Begins the leaves and reconnects that are due.</summary>
    public void LeaveDue()
    {
        for (; _leaves.Due(loop.Now) > 0; _leaves.Take())
        {
            if (Pick() is { } connection)
                connection.Rooms.Leave(connection.Rooms.FirstJoined!);
        }

        for (; _reconnects.Due(loop.Now) > 0; _reconnects.Take())
            Pick()?.BeginClose();
    }

    /// <summary>A random open connection that has joined a room and does not read slowly; null when a few tries find none.</summary>
    private LoadConnection? Pick()
    {
        for (var i = 0; i < PicksToTry && connections.Length > 0; i++)
        {
            var connection = connections[_random.Next(connections.Length)];
            if (connection is { State: ConnectionState.Open, IsSlow: false, Rooms.FirstJoined: not null })
                return connection;
        }

        return null;
    }
}
