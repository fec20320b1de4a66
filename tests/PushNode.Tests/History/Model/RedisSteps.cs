namespace PushNode.Tests.History.Model;

/// <summary>What publishers and Redis do.</summary>
internal sealed class RedisSteps(ModelOptions options)
{
    public IEnumerable<Step> Of(State state)
    {
        var faults = state.Faults;
        var home = state.Home;
        if (state.Published < options.Envelopes.Length)
            yield return Publish(state);
        if (faults.Trims > 0 && home.Items.Count > 0)
        {
            var trimmed = home with { Items = home.Items.Skip(1), Floor = home.Floor + 1 };
            yield return Fault("drops its oldest message", state.With(trimmed) with { Faults = faults with { Trims = faults.Trims - 1 } });
        }

        if (faults.Losses > 0 && home.Last > 0)
        {
            var (epochs, label) = (state.Epochs, NewLabel(state));
            var empty = new Home(epochs.Count, 0, 0, []);
            var next = state.With(empty) with { Epochs = epochs.Begin(-1, 0, label), Faults = faults with { Losses = faults.Losses - 1 } };
            yield return Fault("loses everything", CutLinks(next));
        }

        if (faults.LossyFailovers > 0 && home.Items.Count > 0)
        {
            var left = faults with { LossyFailovers = faults.LossyFailovers - 1 };
            var behind = home with { Last = home.Last - 1, Items = [.. home.Items.SkipLast(1)] };
            yield return Fault($"fails over and loses {home.Items[^1]}", CutLinks(Fork(state, behind) with { Faults = left }));
        }

        if (faults.CleanFailovers > 0)
        {
            var left = faults with { CleanFailovers = faults.CleanFailovers - 1 };
            yield return Fault("fails over and loses nothing", CutLinks(Fork(state, home) with { Faults = left }));
        }

        // One change of the list has reached every node before the next one begins (docs/redis.md): otherwise a node keeps what it remembers of a home
        // on which the room is new again, and says recovered.
        if (faults.Moves > 0 && !state.Nodes.Any(node => node.Home != state.PublishHome))
            yield return Move(state with { Faults = faults with { Moves = faults.Moves - 1 } });
    }

    /// <summary>A node's link to Redis ends, and with it the read under way and what is on its way.</summary>
    public static Node CutLink(Node node) =>
        node with { IsSubscribed = false, Channel = [], MustHeal = node.Pos is not null, Read = null };

    private Step Publish(State state)
    {
        var home = state.Home;
        var count = options.Envelopes[state.Published];
        var id = options.Envelopes.Take(state.Published).Sum();
        Seq<Item> envelope;
        if (state.Published == options.Plain)
        {
            envelope = [new Item(-1, 0, id)];
        }
        else
        {
            envelope = [.. Enumerable.Range(0, count).Select(i => new Item(home.Epoch, home.Last + 1 + i, id + i))];
            home = home with { Last = home.Last + count, Items = home.Items.AddRange(envelope) };
        }

        // Positions count on the home only: elsewhere the messages are plain.
        Seq<Item> plain = [.. envelope.Select(item => new Item(-1, 0, item.Id))];
        Seq<Node> nodes = [.. state.Nodes.Select(node => node.IsSubscribed ? Arrived(node) : node)];
        var next = state.With(home) with { Nodes = nodes, Published = state.Published + 1 };
        Node Arrived(Node node) => node with { Channel = node.Channel.Add(node.Home == state.PublishHome ? envelope : plain) };
        return new Step(Actors.Publisher, "publishes", envelope, IsProtocol: false, next);
    }

    /// <summary>
    /// Publishers get another list of servers. What a room has on a home that it had before is deleted first, because its numbers know nothing of what was
    /// published elsewhere meanwhile.
    /// </summary>
    private Step Move(State state)
    {
        var next = state with { PublishHome = (state.PublishHome + 1) % state.Homes.Count };
        if (next.Home.Last > 0)
        {
            var (old, epoch) = (next.Home, next.Epochs.Count);
            var isLeft = options.IsWrong(Wrong.LeftOnOldHome);
            var label = isLeft ? next.Epochs.LabelOf(old.Epoch) : NewLabel(next);
            next = next.With(isLeft ? old with { Epoch = epoch } : new Home(epoch, 0, 0, [])) with { Epochs = next.Epochs.Begin(-1, 0, label) };
        }

        return new Step(Actors.Publisher, "moves to server", next.PublishHome, IsProtocol: false, next);
    }

    /// <summary>The fence: after a failover the room goes on in a new epoch.</summary>
    private State Fork(State state, Home home)
    {
        var label = options.IsWrong(Wrong.NoFence) ? state.Epochs.LabelOf(home.Epoch) : NewLabel(state);
        return state.With(home with { Epoch = state.Epochs.Count }) with { Epochs = state.Epochs.Begin(home.Epoch, home.Last, label) };
    }

    private static string NewLabel(State state) => Epochs.NameOf(state.Epochs.Count);

    private static State CutLinks(State state) => state with { Nodes = [.. state.Nodes.Select(CutLink)] };

    private static Step Fault(string what, State next) => new(Actors.Redis, what, null, IsProtocol: false, next);
}
