using Microsoft.AspNetCore.Connections;
using PushNode.Control;
using PushNode.Settings;

namespace PushNode.Tests.Control;

/// <summary>The limit and the deadline of connections that are not WebSockets yet, with a clock that the test moves.</summary>
public sealed class PendingHandshakesTests : IDisposable
{
    private static readonly TimeSpan AlmostTen = TimeSpan.FromSeconds(9.9);

    private readonly ManualTime _time = new();
    private readonly TestMetrics _metrics = new();
    private readonly LogRecorder<PendingHandshakes> _log = new();

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void A_connection_is_cut_at_its_deadline()
    {
        var handshakes = Create();
        var first = new Client(handshakes);
        _time.Advance(AlmostTen);
        var second = new Client(handshakes);
        handshakes.CutLate();
        Assert.False(first.IsCut);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        handshakes.CutLate();
        Assert.True(first.IsCut);
        Assert.False(second.IsCut);
        Assert.Equal(1, _metrics.Read("push.handshakes_cut", "late"));
        Assert.Equal(1, _metrics.Read("push.handshakes_pending"));

        _time.Advance(AlmostTen);
        handshakes.CutLate();
        Assert.True(second.IsCut);
        Assert.Equal(0, handshakes.Count);
    }

    [Fact]
    public void A_WebSocket_is_never_cut()
    {
        var handshakes = Create();
        var client = new Client(handshakes);
        client.Features.Get<PendingHandshake>()!.End();
        Assert.Equal(0, handshakes.Count);
        _time.Advance(TimeSpan.FromDays(1));
        handshakes.CutLate();
        client.Leave();
        Assert.False(client.IsCut);
        Assert.Equal(0, _metrics.Read("push.handshakes_cut"));
    }

    [Fact]
    public void At_the_limit_the_oldest_handshake_is_evicted()
    {
        var handshakes = Create(max: 3);
        var clients = Enumerable.Range(0, 3).Select(_ => new Client(handshakes)).ToList();
        _time.Advance(TimeSpan.FromSeconds(1));
        clients.Add(new Client(handshakes));
        Assert.Equal([true, false, false, false], clients.Select(client => client.IsCut));
        clients[1].Leave();
        clients.Add(new Client(handshakes));
        Assert.Equal([true, false, false, false, false], clients.Select(client => client.IsCut));
        Assert.Equal(3, handshakes.Count);
        Assert.Equal(1, _metrics.Read("push.handshakes_cut", "evicted"));
        Assert.Equal(1, _metrics.Read("push.handshakes_cut"));
        Assert.Equal(1, _log.Count(4028));
    }

    [Fact]
    public void A_handshake_under_a_second_old_is_not_evicted()
    {
        var handshakes = Create(max: 3);
        var clients = Enumerable.Range(0, 3).Select(_ => new Client(handshakes)).ToList();
        _time.Advance(TimeSpan.FromSeconds(0.9));
        clients.Add(new Client(handshakes));
        clients.Add(new Client(handshakes));
        Assert.Equal([false, false, false, true, true], clients.Select(client => client.IsCut));
        Assert.Equal([false, false, false, true, true], clients.Select(client => client.Run.IsCompletedSuccessfully));
        Assert.Equal(2, _metrics.Read("push.handshakes_cut", "full"));
        // Clients can trigger it at will: one line per ten seconds.
        Assert.Equal(1, _log.Count(4028));
        Assert.Equal(3, handshakes.Count);
    }

    [Fact]
    public async Task A_connection_that_throws_releases_its_place()
    {
        var handshakes = Create();
        var client = new Client(handshakes);
        Assert.Equal(1, handshakes.Count);
        client.Fail();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.Run);
        Assert.Equal(0, handshakes.Count);
    }

    [Theory]
    [InlineData(100_000, 0, 10_000)]
    [InlineData(10, 0, 100)]
    [InlineData(10, 7, 7)]
    [InlineData(100_000, 20_000, 20_000)]
    public void The_default_limit_is_a_tenth_of_the_connections(int max, int maxHandshakes, int allowed)
    {
        var settings = new ConnectionSettings { Max = max, MaxHandshakes = maxHandshakes };
        Assert.Equal(allowed, settings.HandshakesAllowed);
        _ = Create(settings);
        Assert.Equal(allowed, _metrics.Read("push.handshakes_limit"));
    }

    private PendingHandshakes Create(int max = 0) => Create(new ConnectionSettings { MaxHandshakes = max });

    private PendingHandshakes Create(ConnectionSettings settings) => new(settings, _metrics.Node, _time, _log);

    /// <summary>A connection that Kestrel serves until the test says otherwise.</summary>
    private sealed class Client : DefaultConnectionContext
    {
        private readonly TaskCompletionSource _served = new();

        public Client(PendingHandshakes handshakes) => Run = handshakes.RunAsync(this, _ => _served.Task);

        public Task Run { get; }

        public bool IsCut { get; private set; }

        public void Leave() => _served.SetResult();

        public void Fail() => _served.SetException(new InvalidOperationException());

        public override void Abort(ConnectionAbortedException abortReason) => IsCut = true;
    }
}
