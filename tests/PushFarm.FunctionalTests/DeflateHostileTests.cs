using System.Text;
using System.Text.Unicode;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Bombs and broken deflate data cost their connection, and nobody else's.</summary>
public sealed class DeflateHostileTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int MessageLimit = 4096;

    private static readonly WsOptions Deflating = new() { Extensions = "permessage-deflate" };

    private ProgramProcess? _farm;

    private ProgramProcess Farm => _farm ?? throw new InvalidOperationException("The farm is not started.");

    public async ValueTask InitializeAsync() => _farm = await ProgramProcess.StartFarmAsync();

    public async ValueTask DisposeAsync() => await Farm.DisposeAsync();

    [Theory]
    [InlineData(1_000_000, 1009)]
    [InlineData(4_000_000, 1009)]
    [InlineData(1_000_000_000, 1009)]
    public async Task A_bomb_closes_its_connection_only(int bytes, int code)
    {
        var bomb = DeflatedClientFrame.Of(Zeros(bytes));
        output.WriteLine($"{bomb.Length} bytes inflate to {bytes}");
        var room = Room.New();
        await using var bystander = await JoinAsync(room);
        await using (var client = await WsClient.ConnectAsync(Farm.NodePort, options: Deflating))
        {
            await client.SendHostileAsync(bomb);
            Assert.Equal(code, (await client.EndAsync()).Code);
        }

        await ServesAsync(bystander, room);
    }

    /// <summary>A gigabyte of each of 20 clients at once would be 20 GB, or half a minute.</summary>
    [Fact]
    public async Task Many_bombs_take_little_memory()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Connections:MaxMessageBytes", "1048576"));
        var bomb = DeflatedClientFrame.Of(Zeros(1_000_000_000));
        await BombAsync(farm, bomb, 20);
        var before = Peak(farm);
        for (var round = 0; round < 5; round++)
            await BombAsync(farm, bomb, 20);
        var after = Peak(farm);
        output.WriteLine($"{bomb.Length} bytes each; peak {before} KB, then {after} KB");
        // What 20 connections hold at once: 2 MB of their frame, and 2 MB of the message. The heap may be collected late.
        Assert.InRange(after - before, 0, 200 * 1024);
        await Metrics.UntilAsync(farm, metrics => metrics["push_connections"] == 0, "no connection is left");
        Assert.Equal(120, (await Metrics.ScrapeAsync(farm))["push_connections_closed_total{reason=\"too_big\"}"]);
    }

    [Fact]
    public async Task A_thousand_broken_messages_are_refused_and_counted()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var room = Room.New();
        await using var bystander = await JoinAsync(room);
        var broken = Enumerable.Range(0, int.MaxValue).Select(_ => Break(random)).Select(deflated => (Deflated: deflated, Code: Expected(deflated)))
            .Where(message => message.Code is not null).Select(message => (message.Deflated, message.Code, Fragment: random.Next(1, 2 * message.Deflated.Length)))
            .Take(1000).ToList();
        // The node waits a moment for the client of a broken connection, so they come 100 at a time.
        await Parallel.ForEachAsync(broken, new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (message, _) =>
        {
            await using var client = await WsClient.ConnectAsync(Farm.NodePort, options: Deflating);
            await client.SendHostileAsync(DeflatedClientFrame.InFragments(message.Deflated, message.Fragment));
            var end = await client.EndAsync();
            Assert.True(end.Code == message.Code, $"{Convert.ToHexString(message.Deflated)}: {end} instead of {message.Code}");
        });

        await ServesAsync(bystander, room);
        var metrics = await Metrics.UntilAsync(Farm, metrics => metrics["push_connections"] == 1, "one connection is left");
        Assert.Equal(broken.Count(message => message.Code == 1007), Closed(metrics, "bad_deflate") + Closed(metrics, "bad_utf8"));
        Assert.Equal(broken.Count(message => message.Code == 1009), Closed(metrics, "too_big"));
        Assert.Equal(metrics["push_connections_accepted_total"], metrics["push_connections"] + metrics["push_connections_closed_total"]);
        Assert.DoesNotContain("fail:", Farm.Log, StringComparison.Ordinal);
        output.WriteLine($"1009: {Closed(metrics, "too_big")}, 1007: {Closed(metrics, "bad_deflate")} and {Closed(metrics, "bad_utf8")} that are not UTF-8");
    }

    /// <summary>What an independent inflater says; null if the message is text within the limit.</summary>
    private static int? Expected(byte[] deflated)
    {
        if (ReferenceInflate.Message(deflated) is not { } message)
            return 1007;
        if (message.Length > MessageLimit)
            return 1009;
        return Utf8.IsValid(message) ? null : 1007;
    }

    private static double Closed(Metrics metrics, string reason) => metrics[$"push_connections_closed_total{{reason=\"{reason}\"}}"];

    private static byte[] Break(Random random)
    {
        var text = string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => $"{{\"n\":{random.Next(1000)}}}"));
        var deflated = DeflatedClientFrame.Deflate(Encoding.UTF8.GetBytes(text), random.Next(10));
        switch (random.Next(3))
        {
            case 0:
                random.NextBytes(deflated);
                return deflated;
            case 1:
                return deflated[..random.Next(1, deflated.Length)];
            default:
                for (var flips = random.Next(1, 5); flips > 0; flips--)
                    deflated[random.Next(deflated.Length)] ^= (byte)(1 << random.Next(8));
                return deflated;
        }
    }

    private static async Task BombAsync(ProgramProcess farm, byte[] bomb, int clients) => await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
    {
        await using var client = await WsClient.ConnectAsync(farm.NodePort, options: Deflating);
        await client.SendHostileAsync(bomb);
        Assert.Equal(1009, (await client.EndAsync()).Code);
    }));

    private static byte[] Zeros(int bytes)
    {
        using var deflated = new MemoryStream();
        using var deflater = new System.IO.Compression.DeflateStream(deflated, System.IO.Compression.CompressionLevel.SmallestSize);
        var zeros = new byte[1_000_000];
        for (; bytes > 0; bytes -= zeros.Length)
            deflater.Write(zeros);
        deflater.Flush();
        return deflated.ToArray()[..^4];
    }

    /// <summary>The most memory that the process has used, in KB.</summary>
    private static long Peak(ProgramProcess farm) =>
        long.Parse(File.ReadLines($"/proc/{farm.Pid}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private async Task<WsClient> JoinAsync(string room)
    {
        var client = await WsClient.ConnectAsync(Farm.NodePort, options: Deflating);
        await client.JoinAsync(room);
        return client;
    }

    private async Task ServesAsync(WsClient bystander, string room)
    {
        var message = $"\"{new string('a', 2000)}\"";
        await Http.PublishAsync(Farm, room, message);
        Assert.Equal([message], await bystander.NextItemsAsync(room, 1));
    }
}
