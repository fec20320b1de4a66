using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PushNode.Transport.Epoll;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushNode.Tests.Transport.Epoll;

[Collection(EpollTests.Name)]
public sealed class ListenerTests
{
    [Fact]
    public async Task The_epoll_transport_serves_a_nodes_port()
    {
        var connections = new ConcurrentQueue<object>();
        await using var node = await NodeHost.StartAsync(onConnection: connections.Enqueue);
        await node.ServesAsync();
        Assert.IsType<EpollConnection>(Assert.Single(connections));
    }

    [Fact]
    public async Task A_port_can_be_bound_again_at_once()
    {
        var first = await NodeHost.StartAsync($"http://127.0.0.1:{FreePort.Next()}");
        var client = await RawClient.UpgradeAsync(first.EndPoint);
        await first.StopAsync();
        await client.ReadToEndAsync();
        await first.DisposeAsync();
        client.Dispose();
        for (var i = 0; i < 3; i++)
        {
            await using var again = await NodeHost.StartAsync($"http://127.0.0.1:{first.Port}");
            await again.ServesAsync();
            await again.StopAsync();
        }
    }

    [Fact]
    public async Task A_port_in_use_is_reported_as_in_use()
    {
        await using var node = await NodeHost.StartAsync();
        var failure = await Assert.ThrowsAsync<IOException>(() => NodeHost.StartAsync($"http://127.0.0.1:{node.Port}"));
        Assert.Contains("address already in use", failure.Message, StringComparison.Ordinal);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.IsType<SocketException>(failure.GetBaseException()).SocketErrorCode);
    }

    [Theory]
    [InlineData("[::1]", false, true)]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("*", true, true)]
    public async Task Addresses_of_both_families_are_served(string host, bool ipv4, bool ipv6)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 here");
        var remotes = new ConcurrentQueue<(EndPoint? Remote, EndPoint? Local)>();
        // A port that no other test has in the other family.
        await using var node = await NodeHost.StartAsync(
            $"http://{host}:{FreePort.Next()}", onConnection: connection => remotes.Enqueue((connection.RemoteEndPoint, connection.LocalEndPoint)));
        foreach (var (address, served) in new[] { (IPAddress.Loopback, ipv4), (IPAddress.IPv6Loopback, ipv6) })
        {
            if (!served)
            {
                await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(new IPEndPoint(address, node.Port)));
                continue;
            }

            using var client = await RawClient.UpgradeAsync(new IPEndPoint(address, node.Port));
            Assert.True(remotes.TryDequeue(out var seen));
            Assert.Equal(node.Port, ((IPEndPoint)seen.Local!).Port);
            var remote = ((IPEndPoint)seen.Remote!).Address;
            Assert.Equal(address, remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote);
        }
    }
}
