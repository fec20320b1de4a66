using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.History;

/// <summary>
/// Where a merge worker stands in a room's history: which envelopes continue it, and those that wait while it is read. Belongs to the room's merge
/// worker.
/// </summary>
/// <param name="maxHeldBytes">The largest sum of the envelopes that wait.</param>
internal sealed class HistoryFollower(long maxHeldBytes)
{
    private List<HeldEnvelope> _held = [];
    private long _heldBytes;
    private int _reads;
    private volatile HistoryRead? _read;

    /// <summary>What it does with envelopes.</summary>
    public FollowPhase Phase { get; private set; } = FollowPhase.Opening;

    /// <summary>The room's epoch; null before the first read, and without history.</summary>
    public Lineage? Lineage { get; private set; }

    /// <summary>The last offset received without a hole.</summary>
    public long Received { get; private set; }

    /// <summary>The read under way; null if there is none. Any thread.</summary>
    public HistoryRead? Read => _read;

    /// <summary>Messages without positions have come, which no read can bring back.</summary>
    public bool HasSeenPlain { get; set; }

    /// <summary>When the last <see cref="HistoryReadKind.Look"/> was sent, as a time stamp; null before the first.</summary>
    public long? LookedAt { get; set; }

    /// <summary>Older messages read so far, for JOINs that wait.</summary>
    public List<RoomMessage> Older { get; } = [];

    /// <summary>Something is missing that was not there when the last read was sent: one more has to follow.</summary>
    public bool MustReadAgain { get; private set; }

    /// <summary>Decides what to do with an envelope, and takes it over if it continues what was received.</summary>
    /// <param name="before">The position before its first item.</param>
    /// <param name="count">The number of its items.</param>
    /// <param name="known">How many of the first items were received before.</param>
    public FollowStep Take(Position before, int count, out int known)
    {
        known = 0;
        if (Phase == FollowPhase.Off)
            return FollowStep.TakePlain;
        if (Phase != FollowPhase.Live)
            return FollowStep.Hold;
        var last = before.Offset + count;
        // Never taken over here: the other epoch may be older than what was read.
        if (before.Epoch != Lineage!.Epoch || before.Offset > Received)
            return FollowStep.Heal;
        known = (int)Math.Min(count, Received - before.Offset);
        Received = Math.Max(Received, last);
        return known == count ? FollowStep.Drop : FollowStep.Take;
    }

    /// <summary>Keeps an envelope until the history is read.</summary>
    /// <returns>False if it does not fit: it is dropped, and read afterwards.</returns>
    public bool TryHold(in HeldEnvelope envelope)
    {
        var bytes = envelope.Items.Sum(item => (long)item.Length) + HeldEnvelope.Overhead;
        if (_heldBytes + bytes > maxHeldBytes)
        {
            MustReadAgain = true;
            return false;
        }

        _held.Add(envelope);
        _heldBytes += bytes;
        return true;
    }

    /// <summary>Takes the envelopes that waited, oldest first.</summary>
    public IReadOnlyList<HeldEnvelope> TakeHeld()
    {
        var held = _held;
        (_held, _heldBytes) = ([], 0);
        return held;
    }

    /// <summary>An envelope that comes now, to be held.</summary>
    public HeldEnvelope Hold(Position before, ReadOnlyMemory<byte>[] items, DateTimeOffset publishedAt) =>
        new(before, items, publishedAt, _reads);

    /// <summary>A read is about to be sent; the one before, if any, is forgotten.</summary>
    public HistoryRead BeginRead(HistoryReadKind kind, long since)
    {
        if (kind == HistoryReadKind.Heal)
        {
            Phase = Lineage is null ? FollowPhase.Opening : FollowPhase.Healing;
            MustReadAgain = false;
        }

        return _read = new HistoryRead(kind, since, ++_reads);
    }

    /// <summary>A read's answer has come.</summary>
    /// <returns>False if the read was forgotten meanwhile.</returns>
    public bool EndRead(HistoryRead read)
    {
        if (Read != read)
            return false;
        _read = null;
        return true;
    }

    /// <summary>A failure has dropped messages that were received, so that one more read has to follow.</summary>
    public void Miss() => MustReadAgain = true;

    /// <summary>Stands at an offset of an epoch.</summary>
    public void Stand(Lineage lineage, long received) => (Lineage, Received) = (lineage, received);

    /// <summary>Received everything up to an offset.</summary>
    public void Advance(long received) => Received = received;

    /// <summary>Everything is read.</summary>
    public void GoLive() => Phase = FollowPhase.Live;

    /// <summary>The home keeps no histories.</summary>
    public void TurnOff() => (Phase, Lineage, Received) = (FollowPhase.Off, null, 0);
}

/// <summary>What a follower does with envelopes.</summary>
internal enum FollowPhase
{
    /// <summary>Nothing is read yet: they wait.</summary>
    Opening,

    /// <summary>They are taken as they come.</summary>
    Live,

    /// <summary>Something may be missing and is read: they wait.</summary>
    Healing,

    /// <summary>The home keeps no histories: they are taken as if they had no positions.</summary>
    Off,
}

/// <summary>What to do with one envelope.</summary>
internal enum FollowStep
{
    /// <summary>Take what follows the known items.</summary>
    Take,

    /// <summary>Take all, without positions.</summary>
    TakePlain,

    /// <summary>All of it is known.</summary>
    Drop,

    /// <summary>Hold it until the read under way is answered.</summary>
    Hold,

    /// <summary>Something is missing before it, or the epoch has changed: hold it, and read.</summary>
    Heal,
}

/// <summary>An envelope that waits.</summary>
/// <param name="Before">The position before its first item.</param>
/// <param name="Items">Its items.</param>
/// <param name="PublishedAt">The publisher's clock.</param>
/// <param name="Reads">How many reads were sent before it came.</param>
internal readonly record struct HeldEnvelope(Position Before, ReadOnlyMemory<byte>[] Items, DateTimeOffset PublishedAt, int Reads)
{
    /// <summary>Counted for each in addition to its items.</summary>
    public const int Overhead = 128;
}

/// <summary>One read of a room's history.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Since">The messages after this offset.</param>
/// <param name="Number">Its number among the room's reads.</param>
internal sealed record HistoryRead(HistoryReadKind Kind, long Since, int Number);

/// <summary>What a history is read for.</summary>
internal enum HistoryReadKind
{
    /// <summary>What the node may have missed, or, the first time, where the room stands.</summary>
    Heal,

    /// <summary>What the ring does not have any more, for clients that come back.</summary>
    Older,

    /// <summary>
    /// Whether the node has missed anything, for a client whose position it does not know. What arrives meanwhile does not wait, since any client can
    /// cause it.
    /// </summary>
    Look,
}
