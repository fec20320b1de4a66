using Microsoft.AspNetCore.Connections;
using PushHosting.Management;

namespace PushHosting.Tests.Management;

/// <summary>Which connection is closed when the management listener is full, on a clock that the test moves.</summary>
public sealed class ManagementConnectionsTests
{
    private readonly Clock _clock = new();
    private readonly LogRecorder<ManagementServer> _log = new();
    private readonly ManagementConnections _connections;

    public ManagementConnectionsTests() => _connections = new ManagementConnections(_clock, _log);

    [Fact]
    public void When_it_is_full_each_new_connection_closes_the_oldest()
    {
        var clients = Connect(ManagementConnections.Limit);
        Assert.All(clients, client => Assert.False(client.IsCut));

        clients.AddRange(Connect(3));
        Assert.All(clients.Take(3), client => Assert.True(client.IsCut));
        Assert.All(clients.Skip(3), client => Assert.False(client.IsCut));
    }

    [Fact]
    public async Task An_ended_connection_gives_its_place_back_once()
    {
        var clients = Connect(ManagementConnections.Limit + 1);
        // The first was closed for the last and has no place any more.
        clients[0].Leave();
        clients[1].Leave();
        clients[2].Fail();
        await Assert.ThrowsAsync<InvalidOperationException>(() => clients[2].Run);

        clients.AddRange(Connect(2));
        Assert.Equal(1, clients.Count(client => client.IsCut));
        clients.AddRange(Connect(1));
        Assert.Equal([true, false, false, true], clients.Take(4).Select(client => client.IsCut));
    }

    [Fact]
    public void A_flood_logs_one_line_in_ten_seconds()
    {
        Connect(ManagementConnections.Limit);
        Assert.Equal(0, _log.Count(1012));
        Connect(1000);
        _clock.Now += TimeSpan.FromSeconds(9.9);
        Connect(1);
        Assert.Equal(1, _log.Count(1012));

        _clock.Now += TimeSpan.FromSeconds(0.1);
        Connect(2);
        Assert.Equal(2, _log.Count(1012));
    }

    private List<Client> Connect(int count) => [.. Enumerable.Range(0, count).Select(_ => new Client(_connections))];

    /// <summary>A connection that Kestrel serves until the test says otherwise.</summary>
    private sealed class Client : DefaultConnectionContext
    {
        private readonly TaskCompletionSource _served = new();

        public Client(ManagementConnections connections) => Run = connections.RunAsync(this, _ => _served.Task);

        public Task Run { get; }

        public bool IsCut { get; private set; }

        public void Leave() => _served.SetResult();

        public void Fail() => _served.SetException(new InvalidOperationException());

        public override void Abort(ConnectionAbortedException abortReason) => IsCut = true;
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
