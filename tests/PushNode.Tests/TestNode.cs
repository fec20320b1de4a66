using PushBackplane;
using PushBackplane.History;
using PushBackplane.Publishing;
using PushNode.Access;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Merging;
using PushNode.Messages;
using PushNode.Paging;
using PushNode.Protocol;
using PushNode.Sending;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Tests.Access;
using PushNode.Users;

namespace PushNode.Tests;

/// <summary>A node without its listener: everything real between a fake backplane and fake wires, by a clock that the test moves.</summary>
internal sealed class TestNode : IDisposable
{
    public TestNode(MergeSettings? merge = null, SubscriptionSettings? subscription = null, ConnectionSettings? connections = null, OutboxSettings? outbox = null,
        AuthSettings? auth = null, WatchedRooms? watched = null, SendSettings? sends = null, RoomPolicies? policies = null,
        Func<FakeBackplane, IRoomHistory>? histories = null, HistorySettings? history = null, TimeProvider? historyTime = null)
    {
        Connections = connections ?? new();
        Outbox = outbox ?? new();
        Shards = new Shards(new FanOutSettings { Workers = 2 }, Metrics.Node, Time);
        merge ??= new() { Workers = 2 };
        var kept = histories?.Invoke(Backplane);
        var remembered = kept is null || history is null ? null : new Histories(kept, history, merge, Metrics, Metrics.Node, historyTime ?? Time);
        Merging = new MergeWorkers(merge, Shards, Metrics.Node, Time, histories: remembered);
        Rooms = new Rooms(
            Backplane, Merging, Shards, subscription ?? new(), Metrics.Node, Time, new LogRecorder<Rooms>(), watched is null ? null : Changes, watched, policies, remembered);
        Access = new AccessRules(auth ?? new(), new TokenVerifier(auth ?? new(), Keys, Metrics.Node, Time));
        Restrictions = new NodeRestrictions(Farm, new BackplaneSettings(), Metrics.Node, Time, RestrictionLog);
        Users = new UserConnections(Rooms, Shards, Restrictions, Connections);
        Limits = new SendLimits(sends ?? new(), Metrics.Node, Time);
        var sending = new Sends(
            Backplane, new ChannelPublisher(Backplane, null!, Time), Rooms, Restrictions, Limits, merge, Metrics.Node, new Failures(FailedStage.Client, Metrics.Node, Time), [], Time);
        var pages = new HistoryPages(merge, Outbox, Metrics.Node, new Failures(FailedStage.Client, Metrics.Node, Time), Time, kept);
        Sessions = new SessionRules(Rooms, Users, sending, pages, Access, Connections, Metrics.Node, Time);
        Rooms.SubscribeToBroadcasts();
    }

    public ManualTime Time { get; } = new() { RealTimers = true };

    public TestMetrics Metrics { get; } = new();

    public FakeBackplane Backplane { get; } = new();

    /// <summary>The rooms that changed, of a node that watches them.</summary>
    public MemberChanges Changes { get; } = new();

    public Shards Shards { get; }

    public MergeWorkers Merging { get; }

    public Rooms Rooms { get; }

    public TokenKeys Keys { get; } = new([TestTokens.Key], hasKeySet: false);

    public AccessRules Access { get; }

    /// <summary>The restrictions that the farm keeps, for <see cref="Restrictions"/> to read.</summary>
    public FakeRestrictions Farm { get; } = new();

    public LogRecorder<NodeRestrictions> RestrictionLog { get; } = new();

    public NodeRestrictions Restrictions { get; }

    public UserConnections Users { get; }

    public SendLimits Limits { get; }

    public SessionRules Sessions { get; }

    public ConnectionSettings Connections { get; }

    public OutboxSettings Outbox { get; }

    /// <summary>A client with a session behind its connection.</summary>
    public TestClient Connect(out Session session, Variant variant = Variant.Json, Principal? principal = null)
    {
        var client = new TestClient(Metrics, Time, Connections, Outbox, Shards.Next(), variant: variant);
        session = new Session(client.Connection, Sessions, principal ?? Access.Stranger);
        return client;
    }

    public TestClient Connect() => Connect(out _);

    /// <summary>Everything received so far is on the wires, or in the outboxes of those that take nothing.</summary>
    public async Task FlushAsync()
    {
        await Merging.FlushAsync();
        await Shards.WhenPassed();
    }

    /// <summary>The linger of every room is over.</summary>
    public void EndLinger()
    {
        Time.Advance(TimeSpan.FromHours(2));
        Rooms.RetireLingering();
    }

    public void Dispose()
    {
        Merging.Dispose();
        Shards.Dispose();
        Metrics.Dispose();
    }
}
