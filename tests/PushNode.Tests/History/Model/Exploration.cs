using System.Text;

namespace PushNode.Tests.History.Model;

/// <summary>
/// Visits every state that can be reached, nearest first, so that a violation is found on a shortest way to it. What it found is in
/// <see cref="States"/> and <see cref="Counterexample"/>. One thread.
/// </summary>
internal sealed class Exploration
{
    private readonly RedisSteps _redis;
    private readonly NodeSteps _nodes;
    private readonly MemberSteps _members;
    private readonly List<State> _states = [];
    private readonly List<int> _predecessors = [];
    private readonly HashSet<State> _seen = [];

    private Exploration(ModelOptions options)
    {
        var client = new Client(options);
        _redis = new RedisSteps(options);
        var worker = new MergeWorker(options);
        _nodes = new NodeSteps(options, worker, client);
        _members = new MemberSteps(options, worker, client);
        var homes = Enumerable.Range(0, options.Homes);
        var epochs = new Epochs([.. homes.Select(home => new Beginning(-1, 0, Epochs.NameOf(home)))]);
        var first = new State(
            epochs,
            [.. homes.Select(home => new Home(home, 0, 0, []))],
            Seq.Repeat(_nodes.FreshNode, options.Nodes),
            Seq.Repeat(new Member(), options.Members),
            PublishHome: 0,
            Published: 0,
            options.Faults);
        Add(first, -1);
    }

    public int States => _states.Count;

    /// <summary>The invariant that is violated; null for none.</summary>
    public string? Violated { get; private set; }

    /// <summary>The steps that lead to the violation; null without one.</summary>
    public string? Counterexample { get; private set; }

    public static Exploration Run(ModelOptions options)
    {
        var exploration = new Exploration(options);
        for (var i = 0; i < exploration._states.Count && exploration.Violated is null; i++)
            exploration.Visit(i);
        return exploration;
    }

    private void Visit(int index)
    {
        var state = _states[index];
        try
        {
            var isQuiet = true;
            foreach (var step in Steps(state))
            {
                isQuiet &= !step.IsProtocol;
                Add(step.Next, index);
            }

            if (isQuiet)
                Oracle.CheckQuiet(state);
        }
        catch (Violation violation)
        {
            // What the exploration looks for.
            Violated = violation.Invariant;
            Counterexample = WayTo(index).AppendLine(violation.Message).ToString();
        }
    }

    private IEnumerable<Step> Steps(State state)
    {
        foreach (var step in _redis.Of(state))
            yield return step;
        for (var i = 0; i < state.Nodes.Count; i++)
        {
            foreach (var step in _nodes.Of(state, i))
                yield return step;
        }

        for (var i = 0; i < state.Members.Count; i++)
        {
            foreach (var step in _members.Of(state, i))
                yield return step;
        }
    }

    private void Add(State state, int predecessor)
    {
        if (!_seen.Add(state))
            return;
        _states.Add(state);
        _predecessors.Add(predecessor);
    }

    /// <summary>The steps are not kept: each is found again among those of the state before it.</summary>
    private StringBuilder WayTo(int index)
    {
        if (_predecessors[index] < 0)
            return new StringBuilder().AppendLine();
        var before = _predecessors[index];
        var step = Steps(_states[before]).First(step => step.Next == _states[index]);
        return WayTo(before).Append("    ").AppendLine(step.ToString());
    }
}
