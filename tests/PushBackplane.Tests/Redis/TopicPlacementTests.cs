using System.Globalization;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

public sealed class TopicPlacementTests
{
    private static readonly int[] Counts = [2, 3, 4, 5, 8, 16, 100];

    /// <summary>Computed by another program, for each of the counts. A change here means that publishers of two versions disagree.</summary>
    [Theory]
    [InlineData("demo", 0, 0, 0, 0, 0, 0, 19)]
    [InlineData("a", 1, 1, 1, 1, 1, 1, 50)]
    [InlineData("默认房间", 1, 1, 3, 3, 3, 3, 82)]
    [InlineData("room-1", 0, 0, 3, 3, 3, 9, 23)]
    [InlineData("room-2", 0, 2, 2, 4, 4, 4, 4)]
    [InlineData("*", 1, 2, 2, 4, 4, 15, 66)]
    [InlineData("😀", 1, 1, 1, 1, 1, 11, 91)]
    [InlineData("lobby", 1, 1, 1, 1, 7, 7, 84)]
    public void A_rooms_server_never_changes(string room, params int[] homes) =>
        Assert.Equal(homes, Counts.Select(servers => TopicPlacement.Of(room, servers)));

    [Fact]
    public void The_longest_name_has_a_server()
    {
        Assert.Equal([1, 1, 1, 1, 1, 14, 14], Counts.Select(servers => TopicPlacement.Of(new string('x', RoomId.MaxBytes), servers)));
        Assert.Equal(0, TopicPlacement.Of("", 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(16)]
    public void Rooms_spread_evenly_and_an_added_server_takes_only_its_share(int servers)
    {
        const int Rooms = 100_000;
        var before = new int[servers];
        var moved = 0;
        for (var i = 0; i < Rooms; i++)
        {
            var room = string.Create(CultureInfo.InvariantCulture, $"room-{i}");
            var (home, later) = (TopicPlacement.Of(room, servers), TopicPlacement.Of(room, servers + 1));
            before[home]++;
            if (home == later)
                continue;
            moved++;
            Assert.Equal(servers, later);
        }

        // Within six standard deviations of a fair draw; these fixed names are far closer.
        Assert.All(before, rooms => AssertShare(rooms, 1.0 / servers));
        AssertShare(moved, 1.0 / (servers + 1));

        static void AssertShare(int rooms, double share) =>
            Assert.InRange(rooms, (Rooms * share) - (6 * Math.Sqrt(Rooms * share * (1 - share))), (Rooms * share) + (6 * Math.Sqrt(Rooms * share * (1 - share))));
    }

    /// <summary>Known answers, also given by other implementations.</summary>
    [Theory]
    [InlineData(1UL, 1, 0)]
    [InlineData(42UL, 57, 43)]
    [InlineData(0xDEAD10CCUL, 1, 0)]
    [InlineData(0xDEAD10CCUL, 666, 361)]
    [InlineData(256UL, 1024, 520)]
    [InlineData(0UL, 1_000_000, 0)]
    [InlineData(ulong.MaxValue, 3, 2)]
    [InlineData(ulong.MaxValue, 1_000_000, 589_430)]
    public void A_keys_bucket_never_changes(ulong key, int buckets, int bucket) => Assert.Equal(bucket, TopicPlacement.JumpHash(key, buckets));

    [Fact]
    public void A_hash_over_no_buckets_throws() => Assert.Throws<ArgumentOutOfRangeException>(() => TopicPlacement.JumpHash(1, 0));
}
