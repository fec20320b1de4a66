namespace PushLoad.Verification;

/// <summary>
/// When each message of a room was due, for the messages that this loop's members have received. It shows how many messages a member missed
/// before the first one it received. One thread.
/// </summary>
internal sealed class PublishTimes
{
    private readonly List<(long Sequence, long At)> _known = [];

    /// <summary>Adds a message. Ignores repeated and late ones, which are known or not needed.</summary>
    public void Add(long sequence, long at)
    {
        if (_known.Count == 0 || sequence > _known[^1].Sequence)
            _known.Add((sequence, at));
    }

    /// <returns>The first known message that was due after this moment; null when there is none.</returns>
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
