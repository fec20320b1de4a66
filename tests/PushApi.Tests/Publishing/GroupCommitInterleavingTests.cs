using System.Collections.Concurrent;
using System.Text;
using PushApi.Tests.Hosting;
using PushBackplane.Publishing;

namespace PushApi.Tests.Publishing;

public class GroupCommitInterleavingTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Confirmed_messages_are_published_once_and_in_order_under_random_load()
    {
        const int Publishers = 16;
        const int Rooms = 3;
        const int Requests = 300;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");

        var inFlight = new ConcurrentDictionary<string, int>();
        var overlaps = 0;
        var chance = new Random(seed);
        var backplane = new FakeBackplane
        {
            Answer = async channel =>
            {
                if (inFlight.AddOrUpdate(channel, 1, (_, count) => count + 1) > 1)
                    Interlocked.Increment(ref overlaps);
                int dice;
                lock (chance)
                    dice = chance.Next(20);
                if (dice > 4)
                    await Task.Yield();
                inFlight.AddOrUpdate(channel, 0, (_, count) => count - 1);
                return dice == 0 ? null : 1;
            },
        };
        // Nobody is given up: only the dice decide what is not confirmed.
        var publisher = new ChannelPublisher(backplane, null!, new ManualTime());
        var outcomes = new ConcurrentDictionary<string, PublishOutcome>();

        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(p => Task.Run(async () =>
        {
            var random = new Random(seed + 1 + p);
            for (var r = 0; r < Requests; r++)
            {
                var messages = Enumerable.Range(0, random.Next(1, 4)).Select(m => $"{p}.{r}.{m}").ToArray();
                var bytes = messages.Select(message => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(message))).ToArray();
                var outcome = await publisher.PublishAsync(backplane.Named($"room{random.Next(Rooms)}"), bytes, DateTimeOffset.UtcNow);
                foreach (var message in messages)
                    outcomes[message] = outcome;
            }
        })));

        Assert.Equal(0, overlaps);
        Assert.Contains(outcomes.Values, outcome => outcome.Nodes is null);
        Assert.Contains(backplane.Published, envelope => envelope.Items.Length > 3);
        var published = backplane.Published.SelectMany(envelope => envelope.Texts.Select(text => (envelope.Channel, Text: text))).ToArray();
        Assert.Equal(published.Length, published.DistinctBy(one => one.Text).Count());
        Assert.Equal(
            outcomes.Where(one => one.Value.IsSent).Select(one => one.Key).Order(StringComparer.Ordinal),
            published.Select(one => one.Text).Order(StringComparer.Ordinal));

        // Each publisher waits for every answer, so its messages have one order over all rooms.
        foreach (var own in published.GroupBy(one => one.Text.Split('.')[0]))
        {
            var order = own.Select(one => one.Text.Split('.').Select(int.Parse).ToArray()).Select(parts => (parts[1] * 10) + parts[2]).ToArray();
            Assert.Equal(order.Order(), order);
        }
        await Eventually.HoldsAsync(() => publisher.BusyChannels == 0, "A queue is left.");
    }
}
