using PushBackplane.Restrictions;

namespace PushNode.Tests;

/// <summary>What the farm keeps, as a test says. Any thread.</summary>
internal sealed class FakeRestrictions : IRestrictions
{
    private readonly Lock _lock = new();
    private readonly List<TaskCompletionSource<RestrictionList>> _held = [];
    private RestrictionList _list = new([]);
    private bool _holds;
    private int _loads;

    /// <summary>How often it was read.</summary>
    public int Loads
    {
        get
        {
            lock (_lock)
                return _loads;
        }
    }

    /// <summary>What a reading finds.</summary>
    public void Keep(params Restriction[] all) => Answer(new RestrictionList(all));

    /// <summary>What a reading gets.</summary>
    public void Answer(RestrictionList list)
    {
        lock (_lock)
            _list = list;
    }

    /// <summary>From now on a reading is answered when the test says so.</summary>
    public void Hold()
    {
        lock (_lock)
            _holds = true;
    }

    /// <summary>Answers the readings that are held with what was kept when this was called, and holds none any more.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _holds = false;
            _held.ForEach(held => held.TrySetResult(_list));
            _held.Clear();
        }
    }

    public Task<RestrictionList> LoadAsync()
    {
        lock (_lock)
        {
            _loads++;
            if (!_holds)
                return Task.FromResult(_list);
            _held.Add(new TaskCompletionSource<RestrictionList>(TaskCreationOptions.RunContinuationsAsynchronously));
            return _held[^1].Task;
        }
    }

    public Task<RestrictionOutcome> RestrictAsync(Restriction restriction) => throw new NotSupportedException("A node restricts nobody.");

    public Task<RestrictionOutcome> LiftAsync(RestrictionTarget target) => throw new NotSupportedException("A node lifts nothing.");
}
