using PushLoad.Measurement;
using PushLoad.Messages;

namespace PushLoad.Verification;

/// <summary>
/// Checks that one member of one room receives exactly the accepted messages that connections sent into it, in any order: their number and the sum of
/// their hashes. Only a member that is in the room from the beginning to the end, and gets no GAP, can be checked so. Owned by its connection; one
/// thread.
/// </summary>
internal sealed class SendCheck
{
    private bool _isWhole;
    private long _received;
    private ulong _hash;

    /// <summary>The member is in the room, and nothing has been sent.</summary>
    public void Begin() => (_isWhole, _received, _hash) = (true, 0, 0);

    /// <summary>The member has left, or has been told of a gap.</summary>
    public void Break() => _isWhole = false;

    public void Receive(Batch batch)
    {
        _received += batch.Sent.Length;
        _hash += batch.SentHash;
    }

    public bool HasAll(SendTotal expected) => !_isWhole || _received >= expected.Accepted;

    /// <summary>The run is over.</summary>
    public void Conclude(SendTotal expected, SendTally tally)
    {
        if (!_isWhole)
            return;
        tally.CheckedMembers++;
        tally.Lost += Math.Max(0, expected.Accepted - _received);
        tally.Surplus += Math.Max(0, _received - expected.Accepted - expected.Uncertain);
        // As many as were accepted, but not those.
        if (_received == expected.Accepted && _hash != expected.Hash && expected.Uncertain == 0)
            (tally.Lost, tally.Surplus) = (tally.Lost + 1, tally.Surplus + 1);
    }
}
