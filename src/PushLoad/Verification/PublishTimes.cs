namespace PushLoad.Verification;

/// <summary>
/// When each message of a room was due, as far as any member of this thread has seen it: what tells how much a member missed that got its first message too
/// late. One thread.
/// </summary>
internal sealed class PublishTimes
{
    private readonly List<(long Sequence, long At)> _known = [];

    /// <summary>Adds what a batch says. Messages that come again, or late, are known or not needed.</summary>
    public void Add(long sequence, long at)
    {
        if (_known.Count == 0 || sequence > _known[^1].Sequence)
            _known.Add((sequence, at));
    }

    /// <returns>The first message known to have been due after that moment; null when none is.</returns>
    public long? FirstAfter(long moment)
    {
        int low = 0, high = _known.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_known[middle].At > moment)
                high = middle;
            else
                low = middle + 1;
        }

        return low < _known.Count ? _known[low].Sequence : null;
    }
}
