using System.Text;
using System.Text.RegularExpressions;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Rule 6 by variant: what the node counts is what clients of every variant receive, to the message and to the byte.</summary>
public abstract partial class VariantAccountingTests(NodeTransport transport, ITestOutputHelper output) : TransportTests(transport)
{
    private const int Messages = 600;
    private const int MinBytes = 700;

    private const int OutboxBytes = 256 * 1024;

    /// <summary>Published before the test waits until all fast readers have everything: less than a batch or an outbox holds, so they miss nothing.</summary>
    private const int UnconfirmedBytes = 32 * 1024;

    private static readonly string[] Variants = ["json", "json_deflate", "message_pack", "message_pack_deflate", "sse", "stream"];

    [Fact]
    public async Task The_counters_of_every_variant_equal_what_its_clients_receive()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(
            redis, ("Push:Node", "a"), ("Push:Merge:Window", "00:00:00.02"), ("Push:Merge:MaxBatchBytes", "32768"),
            ("Push:Outbox:MaxBytes", $"{OutboxBytes}"), ("Push:Outbox:StuckAfter", "00:10:00"),
            ("Push:Compression:MinBytes", $"{MinBytes}"), ("Push:Connections:PingAfter", "00:00:01"), ("Push:Connections:CloseAfter", "01:00:00"),
            ("Push:Connections:HeartbeatAfter", "00:00:00.5"), ("Push:Connections:CloseTimeout", "00:01:00"), ("Push:Drain:Over", "00:00:00"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        var room = Room.New();
        var fast = new List<VariantClient>();
        var slow = new List<VariantClient>();
        foreach (var variant in Variants)
        {
            fast.Add(await VariantClient.ConnectAsync(node.NodePort, variant, room));
            slow.Add(await VariantClient.ConnectAsync(node.NodePort, variant, room, receiveBuffer: 8192));
            slow[^1].StopReading();
        }

        VariantClient[] all = [.. fast, .. slow];
        await Metrics.UntilAsync(node, metrics => Variants.All(variant => Of(metrics, "push_variant_connections", variant) == 2), "two clients of each variant");
        await PublishAsync(publisher, room, random, fast, all);
        slow.ForEach(client => client.ResumeReading());
        await Metrics.UntilAsync(
            node,
            m => m["push_deliveries_expected_total"] == all.Length * Messages
                && m["push_deliveries_expected_total"] == m["push_deliveries_total"] + m["push_deliveries_dropped_total"],
            "all are expected, and expected = deliveries + dropped deliveries");

        await publisher.PublishAsync("push:control", """{"command":"drain","node":"a"}""");
        foreach (var client in all)
            await client.LeaveAsync();
        var metrics = await Metrics.UntilAsync(node, metrics => metrics["push_connections"] == 0 && Variants.All(variant => Of(metrics, "push_variant_connections", variant) == 0), "all connections have ended");

        AssertBytes(metrics, all);
        AssertDeliveries(metrics, fast, slow);
        AssertEncodings(metrics, fast);
        foreach (var client in all)
            await client.DisposeAsync();
    }

    private static async Task PublishAsync(RedisPublisher publisher, string room, Random random, List<VariantClient> fast, VariantClient[] all)
    {
        var unconfirmed = 0;
        for (var number = 0; number < Messages;)
        {
            var payloads = new List<byte[]>();
            for (var i = random.Next(1, 10); i > 0 && number < Messages; i--)
                payloads.Add(RandomMessage(random, number++));
            await publisher.PublishAsync(Room.Channel(room), payloads);
            await all[random.Next(all.Length)].PingAsync();
            if ((unconfirmed += payloads.Sum(payload => payload.Length)) < UnconfirmedBytes || number == Messages)
                continue;

            // A batch that is too short to deflate.
            await ReceiveAsync(fast, number);
            await publisher.PublishAsync(Room.Channel(room), Message(number++, ""));
            await ReceiveAsync(fast, number);
            unconfirmed = 0;
        }

        await ReceiveAsync(fast, Messages);
    }

    /// <summary>Waits until each has received so many messages.</summary>
    private static Task ReceiveAsync(List<VariantClient> clients, int count) => Eventually.HoldsAsync(
        () => Task.FromResult(clients.All(client => client.Frames.Sum(frame => Numbers(frame).Count()) == count)), $"{count} messages have come");

    /// <summary>A number between signs that stand nowhere else, and padding: none, words, or what hardly deflates.</summary>
    private static byte[] RandomMessage(Random random, int number)
    {
        var padding = random.Next(3) switch
        {
            0 => "",
            1 => string.Join(' ', Enumerable.Range(0, random.Next(1, 1500)).Select(_ => "the quick brown fox".Split(' ')[random.Next(4)])),
            _ => Convert.ToBase64String(Enumerable.Range(0, random.Next(1, 5000)).Select(_ => (byte)random.Next(256)).ToArray()),
        };
        return Message(number, padding);
    }

    private static byte[] Message(int number, string padding) => Encoding.UTF8.GetBytes($$"""{"n":"#{{number:d6}}#","x":"{{padding}}"}""");

    private static void AssertBytes(Metrics metrics, VariantClient[] all)
    {
        Assert.All(all, client => Assert.Equal(client.Received, client.Frames.Sum(frame => (long)frame.Length)));
        Assert.All(Variants, variant => Assert.Equal(
            all.Where(client => client.Variant == variant).Sum(client => client.Received), Of(metrics, "push_sent_bytes_total", variant)));
    }

    private static void AssertDeliveries(Metrics metrics, List<VariantClient> fast, List<VariantClient> slow)
    {
        var frames = fast.Concat(slow).Select(Pushes).ToList();
        Assert.All(fast, client => Assert.Equal(Enumerable.Range(0, Messages), Pushes(client).SelectMany(Numbers)));
        Assert.All(slow, client => Assert.Equal(Pushes(client).SelectMany(Numbers).Distinct().Order(), Pushes(client).SelectMany(Numbers)));
        Assert.Equal(frames.Sum(pushes => pushes.Count), metrics["push_frames_sent_total"]);
        Assert.Equal(frames.Sum(pushes => pushes.Sum(push => Numbers(push).Count())), metrics["push_deliveries_total"]);
        Assert.Equal((double)frames.Count * Messages, metrics["push_deliveries_expected_total"]);
        Assert.Equal(metrics["push_deliveries_dropped_total"], metrics["push_deliveries_dropped_total{reason=\"slow\"}"]);
        Assert.True(metrics["push_deliveries_dropped_total"] > 0, "no reader was slow enough");
    }

    /// <summary>The fast clients have every batch in each of its encodings.</summary>
    private static void AssertEncodings(Metrics metrics, List<VariantClient> fast)
    {
        var of = fast.ToDictionary(client => client.Variant, Pushes);
        Assert.All((string[])["json", "message_pack", "sse", "stream"], variant =>
        {
            Assert.Equal(metrics["push_batches_total"], of[variant].Count);
            Assert.Equal(of[variant].Count, Of(metrics, "push_batches_encoded_total", variant));
        });

        var (input, output, plainOnes) = (0, 0, 0);
        foreach (var variant in (string[])["json", "message_pack"])
        {
            var (plain, deflated) = (of[variant], of[$"{variant}_deflate"]);
            Assert.Equal(deflated.Count(frame => frame.IsDeflated), Of(metrics, "push_batches_encoded_total", $"{variant}_deflate"));
            Assert.Equal(plain.Count, deflated.Count);
            foreach (var (before, after) in plain.Zip(deflated))
            {
                Assert.False(before.IsDeflated);
                Assert.Equal(before.Payload, after.Payload);
                if (before.Length < MinBytes)
                {
                    Assert.False(after.IsDeflated);
                    plainOnes++;
                    continue;
                }

                input += before.Length;
                output += after.Length;
            }
        }

        Assert.True(plainOnes > 0, "no batch was too short to deflate");
        Assert.InRange(output, 1, input - 1);
        Assert.Equal((input, output), (metrics["push_deflate_input_bytes_total"], metrics["push_deflate_output_bytes_total"]));
    }

    private static List<WireFrame> Pushes(VariantClient client) => [.. client.Frames.Where(frame => Numbers(frame).Any())];

    private static IEnumerable<int> Numbers(WireFrame frame) => Number().Matches(Encoding.Latin1.GetString(frame.Payload)).Select(match => int.Parse(match.Groups[1].Value));

    private static double Of(Metrics metrics, string name, string variant) => metrics[$"{name}{{variant=\"{variant}\"}}"];

    [GeneratedRegex("#([0-9]{6})#")]
    private static partial Regex Number();

    public sealed class OverEpoll(ITestOutputHelper output) : VariantAccountingTests(NodeTransport.Epoll, output);

    public sealed class OverIoUring(ITestOutputHelper output) : VariantAccountingTests(NodeTransport.IoUring, output);

    public sealed class OverKestrel(ITestOutputHelper output) : VariantAccountingTests(NodeTransport.Stream, output);
}
