using System.Text;
using PushBackplane;

namespace RedisPush.Publisher.Tests.Redis;

/// <summary>What publishers and the farm must agree on, compared with the farm's own code.</summary>
public sealed class FormatTests
{
    [Fact]
    public void A_room_has_the_server_that_the_farm_publishes_it_on()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var room = HttpPublisherTests.RandomRoom(random);
            var servers = random.Next(1, 40);
            Assert.Equal(PushBackplane.Redis.TopicPlacement.Of(room, servers), RedisPush.Publisher.Redis.TopicPlacement.Of(room, servers));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(1_000)]
    public void The_farm_reads_an_envelope(int count)
    {
        int[] lengths = [0, 1, 253, 254, 255, 256, 65_533, 65_534, 65_535, 70_000];
        var items = Enumerable.Range(0, count).Select(n => PushItem.Text(new string('x', lengths[n % (count > 16 ? 3 : lengths.Length)]))).ToList();
        var published = new DateTimeOffset(2026, 11, 22, 1, 2, 3, 456, 789, TimeSpan.Zero);
        var payload = Redis(published, items);
        Assert.True(PushBackplane.Envelope.TryDecode(payload, out var at, out var decoded));
        Assert.Equal(published, at);
        Assert.Equal(items.Select(item => item.ToString()), decoded.Select(item => Encoding.UTF8.GetString(item.Span)));

        static byte[] Redis(DateTimeOffset at, List<PushItem> items) => RedisPush.Publisher.Redis.Envelope.Encode(at, items);
    }

    [Fact]
    public void The_same_names_of_rooms_are_accepted_as_by_the_farm()
    {
        var random = new Random(12);
        string[] parts = ["a", ".", "..", "/", "\0", "\u001F", "\u007F", "\u0085", "\u00A0", "\ud800", "\udc00", "😀", "默认", "é", " ", new('x', 60)];
        for (var i = 0; i < 20_000; i++)
        {
            var name = string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => parts[random.Next(parts.Length)]));
            Assert.Equal(RoomId.TryParse(name, out _, out _), RedisPush.Shared.TopicName.Problem(name) is null);
        }
    }
}
