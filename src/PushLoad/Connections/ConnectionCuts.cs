using PushLoad.Measurement;
using PushLoad.Plans;

namespace PushLoad.Connections;

/// <summary>
/// Cuts sockets without a word, as a lost network does: single ones at random times, or all at once. Which and when follows from the plan's seed. Owned
/// by a loop; one thread.
/// </summary>
internal sealed class ConnectionCuts(LoadLoop loop, WorkerPlan plan, LoadConnection[] connections, int seed)
{
    private const long MaxAbsence = Clock.Second;

    private readonly Random _random = new(seed);
    private readonly Pace _cuts = new(plan.CutEvery > 0 ? connections.Length / plan.CutEvery : 0);
    private long _cutAllAt;

    /// <summary>Publishing begins: from now on cuts fall due.</summary>
    public void Begin()
    {
        _cuts.Restart(loop.Now);
        _cutAllAt = plan.CutAllAfter > 0 ? loop.Now + (long)(plan.CutAllAfter * Clock.Second) : long.MaxValue;
    }

    /// <summary>Makes the cuts that are due.</summary>
    public void Tick()
    {
        for (; _cuts.Due(loop.Now) > 0; _cuts.Take())
        {
            var absence = _random.NextInt64(MaxAbsence);
            Cut(connections[_random.Next(connections.Length)], absence);
        }

        if (loop.Now < _cutAllAt)
            return;
        _cutAllAt = long.MaxValue;
        foreach (var connection in connections)
            Cut(connection, 0);
    }

    private void Cut(LoadConnection connection, long absence)
    {
        if (connection.State != ConnectionState.Open)
            return;
        loop.Figures.Resumes.Cuts++;
        loop.Cut(connection, absence);
    }
}
