using System.Diagnostics;
using System.Globalization;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>What one address may do, tried by somebody who wants more. Addresses of 127.0.0.0/8 are the attacker's and the others'.</summary>
public abstract class AddressLimitTests(NodeTransport transport) : TransportTests(transport)
{
    private const string Attacker = "127.0.0.66";
    private const string Neighbour = "127.0.0.67";
    private const string Proxy = "127.0.0.1";

    [Fact]
    public async Task An_address_at_its_limit_of_connections_gets_429_and_others_connect()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MaxPerAddress", "3"));
        var clients = new List<RawClient>();
        foreach (var request in new[] { RawHttp.Upgrade("/ws"), RawClient.Get("/sse"), RawClient.Get("/stream"), RawHttp.Upgrade("/connect"), RawClient.Get("/sse") })
            clients.Add(await RawClient.RequestAsync(Attacker, farm.NodePort, request));
        Assert.Equal([101, 200, 200, 429, 429], clients.Select(client => client.Answer.Status));
        AssertComesBack(clients[3].Answer, atLeast: 1);
        // Pages may read why.
        using (var page = await RawClient.RequestAsync(Attacker, farm.NodePort, "GET /sse HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\n"))
            Assert.Equal((429, "*"), (page.Answer.Status, page.Answer.Headers["Access-Control-Allow-Origin"]));
        Assert.Equal(101, await StatusAsync(Neighbour, farm, RawHttp.Upgrade("/ws")));

        clients[0].Reset();
        await Eventually.HoldsAsync(async () => await StatusAsync(Attacker, farm, RawHttp.Upgrade("/ws")) == 101, "a place is free again");
        clients.ForEach(client => client.Dispose());
        var metrics = await Metrics.UntilAsync(farm, metrics => metrics["push_addresses"] == 0, "no address is remembered");
        Assert.True(metrics["push_connections_refused_total{reason=\"address_full\"}"] >= 3);
        await farm.WroteAsync("Refusing clients of 127.0.0.66, and perhaps of other addresses, because of Push:Connections:MaxPerAddress.");
    }

    [Fact]
    public async Task A_flood_from_one_address_is_refused_and_others_connect()
    {
        const int Burst = 5;
        await using var farm = await StartFarmAsync(
            ("Push:Connections:HandshakesPerSecondPerAddress", "1"), ("Push:Connections:HandshakeBurstPerAddress", $"{Burst}"), ("Push:Connections:HandshakesPerSecond", "1000"));
        var clock = Stopwatch.StartNew();
        var statuses = new List<int>();
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            // A header that nobody believes, and handshakes that would be refused anyway.
            var request = (i % 3) switch { 0 => RawHttp.Upgrade("/ws", version: "8"), 1 => RawClient.Get("/sse"), _ => RawHttp.Upgrade("/ws") };
            request = request.Replace("\r\n\r\n", $"\r\nX-Forwarded-For: 203.0.113.{i % 256}\r\n\r\n", StringComparison.Ordinal);
            var status = await StatusAsync(Attacker, farm, request);
            lock (statuses)
                statuses.Add(status);
        });
        var allowed = statuses.Count(status => status != 429);
        Assert.InRange(allowed, Burst, Burst + clock.Elapsed.TotalSeconds + 1);
        Assert.Equal(101, await StatusAsync(Neighbour, farm, RawHttp.Upgrade("/ws")));
        Assert.Equal(statuses.Count - allowed, (await Metrics.ScrapeAsync(farm))["push_connections_refused_total{reason=\"address_rate\"}"]);
        // The attacker looks like a proxy, and a real one is easily forgotten.
        await farm.WroteAsync("name it in Proxies:Trusted");
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_each_client_has_its_own_limit()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MaxPerAddress", "2"), ("Proxies:Trusted", Proxy));
        var clients = new List<RawClient>();
        var statuses = new List<int>();
        foreach (var (source, forwardedFor) in new[]
        {
            // One IPv6 client that changes its address, a second network, and a client that pretends to be in another place.
            (Proxy, "2001:db8:0:1::1"), (Proxy, "2001:db8:0:1:ffff::2"), (Proxy, "2001:db8:0:1:a:b:c:d"), (Proxy, "2001:db8:0:2::1"), (Proxy, "2001:db8:9::1, 2001:db8:0:1::3"),
            // The same IPv4 client as its proxies write it.
            (Proxy, "203.0.113.7"), (Proxy, "::ffff:203.0.113.7"), (Proxy, "203.0.113.7:4711"), (Proxy, "203.0.113.8"),
            // Who is not the proxy chooses nothing.
            (Attacker, "203.0.113.9"), (Attacker, "203.0.113.10"), (Attacker, "203.0.113.11"),
        })
        {
            var request = RawHttp.Upgrade("/ws", extraHeaders: $"X-Forwarded-For: {forwardedFor}\r\n");
            clients.Add(await RawClient.RequestAsync(source, farm.NodePort, request));
            statuses.Add(clients[^1].Answer.Status);
        }

        Assert.Equal([101, 101, 429, 101, 429, 101, 101, 429, 101, 101, 101, 429], statuses);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task The_whole_node_has_a_rate_of_handshakes()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:HandshakesPerSecond", "1"), ("Push:Connections:HandshakeBurst", "3"));
        var answers = new List<RawHttpAnswer>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++)
        {
            using var client = await RawClient.RequestAsync($"127.0.0.{i + 2}", farm.NodePort, RawHttp.Upgrade("/ws"));
            answers.Add(client.Answer);
        }

        Assert.InRange(answers.Count(answer => answer.Status == 101), 3, 3 + clock.Elapsed.TotalSeconds + 1);
        var refused = answers.Where(answer => answer.Status != 101).ToList();
        Assert.All(refused, answer => Assert.Equal(503, answer.Status));
        Assert.All(refused, answer => AssertComesBack(answer, atLeast: 1));
        Assert.True(refused.Select(answer => answer.Headers["Retry-After"]).Distinct().Count() > 1, "they come back together");
        Assert.Equal(refused.Count, (await Metrics.ScrapeAsync(farm))["push_connections_refused_total{reason=\"node_rate\"}"]);
    }

    private static void AssertComesBack(RawHttpAnswer answer, int atLeast) =>
        Assert.InRange(int.Parse(answer.Headers["Retry-After"], CultureInfo.InvariantCulture), atLeast, atLeast + 5);

    private static async Task<int> StatusAsync(string source, ProgramProcess farm, string request)
    {
        using var client = await RawClient.RequestAsync(source, farm.NodePort, request);
        return client.Answer.Status;
    }

    [Collection(EpollFarmDefinition.Name)]
    public sealed class OverEpoll() : AddressLimitTests(NodeTransport.Epoll);

    [Collection(KestrelFarmDefinition.Name)]
    public sealed class OverKestrel() : AddressLimitTests(NodeTransport.Stream);
}
