using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>
/// Brings what a room gets into one sequence: keeps its position, cuts off what came before, and tells of what is missing, or heals that first.
/// Guarded by the table's lock. One per membership, over all its connections.
/// </summary>
/// <param name="membership">Gets the events.</param>
/// <param name="since">Where to begin.</param>
/// <param name="heals">Whether to heal gaps.</param>
/// <param name="options">Bound what is held back while a gap heals.</param>
internal sealed class Feed(Membership membership, PushPosition? since, bool heals, RedisPushClientOptions options)
{
    /// <summary>As many messages as a server gives in one page.</summary>
    private const int MaxPage = 1000;

    /// <summary>A server that is busy may answer later; after so many refusals in a row the gap is told.</summary>
    private const int MaxRefusals = 3;

    /// <summary>The connection's, to heal gaps; null between connections.</summary>
    private HistoryQueue? _histories;

    private Healing? _healing;

    /// <summary>Behind the last message that the subscriptions got.</summary>
    public PushPosition? Position { get; private set; } = since;

    /// <summary>JOINED has come.</summary>
    /// <param name="joined">The message.</param>
    /// <param name="continues">Whether the room was joined before, or a position was asked for.</param>
    /// <param name="histories">The connection's.</param>
    public void Join(ServerMessage joined, bool continues, HistoryQueue histories)
    {
        _histories = histories;
        var (from, to) = (Position, joined.Position);
        var step = Step.Of(from, to, 0, 0);
        var recovered = joined.Recovered == true && from is not null && step.Gap is null;
        if (joined.Recovered is not null && from is not null)
            membership.Tell(new PushJoined(recovered));
        if (recovered)
        {
            Position = step.End ?? from;
            return;
        }

        if (continues)
            Lose(new PushGap(PushPosition.Between(from, to), GapReason.Reconnected, from, to));
        if (_healing is null)
            Position = to;
    }

    /// <summary>The connection or the membership has ended. What was held back comes again, because the position does not include it.</summary>
    public void End() => (_histories, _healing) = (null, null);

    /// <summary>Takes a PUSH or a GAP.</summary>
    public void Take(ServerMessage message)
    {
        if (_healing is { } healing)
        {
            healing.Hold(message);
            if (healing.Messages > options.MaxBufferedEvents || healing.Bytes > options.MaxBufferedBytes)
                Release(healing);
        }
        else if (message.Type == "PUSH")
        {
            var step = Step.Of(Position, message);
            if (step.Gap is { } hole && Lose(hole))
                Take(message);
            else
                Deliver(message, step);
        }
        else if (message.To is not { } to || Position?.Covers(to) != true)
        {
            Lose(new PushGap(message.Missed, message.Reason ?? "unknown", Position ?? message.From, message.To));
        }
    }

    private void Deliver(ServerMessage push, Step step)
    {
        var items = push.Items!;
        if (items.Length > 0 && items[^1].Position is null)
            items[^1].FrameEnd = step.End;
        Position = step.End ?? Position;
        membership.Take(new ReadOnlySpan<PushEvent>(items)[step.Skipped..]);
        membership.Count(push.Online);
    }

    /// <summary>Tells of a gap, or begins to heal it.</summary>
    /// <returns>Whether it heals: what comes from now on is held back.</returns>
    private bool Lose(PushGap gap)
    {
        // The node has looked into the history already.
        var isHopeless = gap.Reason is GapReason.History or GapReason.Epoch;
        if (heals && !isHopeless && gap is { From: { } from, To: { } to } && _histories is not null)
        {
            _healing = new Healing(gap, to);
            Position = from;
            if (TryRead(_healing))
                return true;
            _healing = null;
        }

        Tell(gap);
        return false;
    }

    private void Tell(PushGap gap)
    {
        Position = gap.To ?? Position;
        membership.Tell(gap);
    }

    private bool TryRead(Healing healing) => _histories?.TryAdd(membership.Room, Position, MaxPage, (page, code) =>
    {
        if (healing != _healing)
            return; // The connection or the membership has ended, or too much was held back.
        if (page is null ? !TryReadLater(healing, code) : !TryTakePage(healing, page) || !TryRead(healing))
            Release(healing);
    }) == true;

    /// <summary>Asks again after a while, if the server may answer then.</summary>
    private bool TryReadLater(Healing healing, string code)
    {
        if (code is not (HistoryErrorCode.HistoryAway or "too_many_joins" or "too_many_requests") || ++healing.Refusals == MaxRefusals)
            return false;
        _histories!.Later(TimeSpan.FromSeconds(healing.Refusals + Random.Shared.NextDouble()), () =>
        {
            if (healing == _healing && !TryRead(healing))
                Release(healing);
        });
        return true;
    }

    /// <summary>Gives the subscriptions what a page has of a gap.</summary>
    /// <returns>Whether the next page may have more.</returns>
    private bool TryTakePage(Healing healing, ServerMessage page)
    {
        healing.Refusals = 0;
        if (page.Position is not { } end || page.Positioned != page.Items!.Length)
            return false;
        var (known, to) = (Position!.Value, healing.To);
        var start = end with { Offset = end.Offset - page.Items.Length };
        if (start.Offset > to.Offset)
            return false; // Nothing of the gap is left.
        if (!known.Covers(start) && !(page.Recovered == true && known.Offset == start.Offset))
            Tell(new PushGap(PushPosition.Between(known, start), healing.Gap.Reason, known, start));

        // What follows the gap comes by itself.
        var fresh = page.Items[..(int)Math.Min(page.Items.Length, to.Offset - start.Offset)];
        var part = new ServerMessage { Items = fresh, Position = start with { Offset = start.Offset + fresh.Length }, Positioned = fresh.Length };
        Deliver(part, Step.Of(Position, part));
        return page.More && fresh.Length > 0 && Position != known && Position!.Value.Offset < to.Offset;
    }

    /// <summary>Tells of what is left of a gap, and goes on with what was held back.</summary>
    private void Release(Healing healing)
    {
        _healing = null;
        var (gap, to, at) = (healing.Gap, healing.To, Position!.Value);
        if (at != gap.From && at.Epoch != to.Epoch)
        {
            // The room's epoch has changed meanwhile, and its history ends before the gap does: Redis has lost the rest.
            if (at.Offset < to.Offset)
                Tell(new PushGap(null, gap.Reason, gap.From, at));
        }
        else if (!at.Covers(to))
        {
            Tell(at == gap.From ? gap : new PushGap(PushPosition.Between(at, to), gap.Reason, at, to));
        }

        foreach (var message in healing.Held)
            Take(message);
    }

    /// <summary>A gap that heals, and what came meanwhile.</summary>
    private sealed class Healing(PushGap gap, PushPosition to)
    {
        private const int Overhead = 256;

        public PushGap Gap => gap;

        public PushPosition To => to;

        public List<ServerMessage> Held { get; } = [];

        public int Refusals { get; set; }

        public long Messages { get; private set; }

        public long Bytes { get; private set; }

        public void Hold(ServerMessage message)
        {
            Held.Add(message);
            Messages += 1 + (message.Items?.Length ?? 0);
            Bytes += Overhead;
            foreach (var item in message.Items ?? [])
                Bytes += item.Size;
        }
    }
}
