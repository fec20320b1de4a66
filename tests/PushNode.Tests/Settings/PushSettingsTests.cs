using Microsoft.Extensions.Configuration;
using PushHosting.Settings;
using PushNode.Settings;

namespace PushNode.Tests.Settings;

public sealed class PushSettingsTests
{
    [Fact]
    public void The_defaults_are_those_of_the_design()
    {
        var settings = Read();
        Assert.Equal(TimeSpan.FromSeconds(1), settings.Merge.Window);
        Assert.Equal(TimeSpan.FromMilliseconds(50), settings.Merge.Gather);
        Assert.Equal(256 * 1024, settings.Merge.MaxBatchBytes);
        Assert.Equal(5, settings.Connections.MaxRooms);
        Assert.Equal(4096, settings.Connections.MaxMessageBytes);
        Assert.Equal(TimeSpan.FromSeconds(25), settings.Connections.PingAfter);
        Assert.Equal(TimeSpan.FromSeconds(75), settings.Connections.CloseAfter);
        Assert.Equal(TimeSpan.FromSeconds(30), settings.Outbox.StuckAfter);
        Assert.Equal(WhenFull.DropOldest, settings.Outbox.WhenFull);
        Assert.Equal("*", settings.Connections.AllowedOrigins);
        Assert.True(settings.Compression is { Enabled: true, Level: 6, MinBytes: 512, MinMembers: 1 });
    }

    [Fact]
    public void Every_setting_can_be_set()
    {
        var settings = Read(("Merge:MaxBatchBytes", "2048"), ("Outbox:MaxBytes", "9216"), ("Outbox:WhenFull", "disconnect"), ("Connections:AllowedOrigins", "https://example.com; http://localhost:8080"), ("Node", "node-1"));
        Assert.Equal(9216, settings.Outbox.MaxBytes);
        Assert.Equal(WhenFull.Disconnect, settings.Outbox.WhenFull);
        Assert.Equal("node-1", settings.Node);
    }

    [Theory]
    [InlineData("Merge:Window", "banana")]
    [InlineData("Merge:Window", "1")]
    [InlineData("Merge:Window", "00:00:00")]
    [InlineData("Merge:Gather", "-00:00:01")]
    [InlineData("Merge:MaxBatchBytes", "10")]
    [InlineData("Merge:MaxInboxBytes", "0")]
    [InlineData("Merge:MaxWaitingBytes", "10")]
    [InlineData("Connections:Max", "0")]
    [InlineData("Connections:MaxRooms", "0")]
    [InlineData("Connections:JoinsPerSecond", "0")]
    [InlineData("Connections:MaxMessageBytes", "1e3")]
    [InlineData("Connections:MaxUnsentBytes", "0")]
    [InlineData("Connections:MessagesPerSecond", "0")]
    [InlineData("Connections:MessageBurst", "1000001")]
    [InlineData("Outbox:MaxTotalBytes", "2097151")]
    [InlineData("Outbox:WhenFull", "1")]
    [InlineData("Outbox:WhenFull", "Wait")]
    [InlineData("Compression:Enabled", "1")]
    [InlineData("Compression:Level", "0")]
    [InlineData("Compression:Level", "10")]
    [InlineData("Compression:MinBytes", "0")]
    [InlineData("Compression:MinMembers", "0")]
    [InlineData("FanOut:Workers", "-1")]
    [InlineData("FanOut:Shards", "8")]
    [InlineData("FanOut:Sends", "Fast")]
    [InlineData("Subscription:Linger", "forever")]
    [InlineData("Subscription:MaxRooms", "0")]
    [InlineData("Merge:GapSpread", "00:01:01")]
    [InlineData("Drain:ClosesPerSecond", "0")]
    [InlineData("Drain:ClosesPerSecond", "4347")]
    [InlineData("Drain:Over", "00:00:23.1")]
    [InlineData("Drain:Over", "-00:00:01")]
    [InlineData("Drain:Deadline", "00:00:02")]
    [InlineData("Node", "node-*")]
    [InlineData("Nothing", "1")]
    [InlineData("Connections:Nothing", "1")]
    [InlineData("Node", "a\nb")]
    public void A_wrong_value_is_rejected_with_its_key(string key, string value) =>
        Assert.StartsWith($"Push:{key} is", Refusal((key, value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("262144", "1049599", "1049600")]
    [InlineData("1048576", "2097152", "4195328")]
    public void The_outbox_must_hold_the_largest_frame(string batch, string outbox, string least)
    {
        var refusal = Refusal(("Merge:MaxBatchBytes", batch), ("Outbox:MaxBytes", outbox));
        Assert.Contains("Push:Outbox:MaxBytes", refusal, StringComparison.Ordinal);
        Assert.Contains(least, refusal, StringComparison.Ordinal);
        Assert.Equal(least, Read(("Merge:MaxBatchBytes", batch), ("Outbox:MaxBytes", least)).Outbox.MaxBytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_batch_too_large_for_any_outbox_is_rejected_without_overflow() =>
        Assert.Contains("Push:Outbox:MaxBytes", Refusal(("Merge:MaxBatchBytes", "67108864")), StringComparison.Ordinal);

    [Fact]
    public void A_client_must_be_pinged_before_it_is_closed()
    {
        Assert.Contains("Push:Connections:CloseAfter", Refusal(("Connections:PingAfter", "00:01:15")), StringComparison.Ordinal);
        Assert.Contains("Push:Connections:CloseAfter", Refusal(("Connections:CloseAfter", "00:00:20")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_must_be_able_to_join_all_its_rooms_at_once()
    {
        Assert.Equal("Push:Connections:JoinBurst is 4; it accepts at least Push:Connections:MaxRooms, which is 5, so that a client can join all its rooms at once.", Refusal(("Connections:JoinBurst", "4")));
        Assert.Equal(200, Read(("Connections:MaxRooms", "200"), ("Connections:JoinBurst", "200")).Connections.MaxRooms);
    }

    [Fact]
    public void IoUring_needs_the_epoll_transport()
    {
        Assert.StartsWith("Push:FanOut:Sends is 'IoUring'", Refusal(("FanOut:Sends", "IoUring"), ("Transport", "Stream")), StringComparison.Ordinal);
        Assert.Equal(SendKind.Auto, Read(("Transport", "Stream")).FanOut.Sends);
    }

    [Fact]
    public void Nodes_that_share_a_port_need_names_and_the_epoll_transport()
    {
        Assert.StartsWith("Push:Node is empty", Refusal(("Connections:SharePort", "true")), StringComparison.Ordinal);
        Assert.StartsWith("Push:Connections:SharePort is 'True'", Refusal(("Connections:SharePort", "true"), ("Node", "a"), ("Transport", "Stream")), StringComparison.Ordinal);
        Assert.True(Read(("Connections:SharePort", "true"), ("Node", "a")).Connections.SharePort);
    }

    [Fact]
    public void A_full_node_must_be_closed_before_the_deadline()
    {
        Assert.Equal(4348, Read(("Drain:ClosesPerSecond", "4348")).Drain.ClosesPerSecond);
        Assert.Contains("at least 43479", Refusal(("Connections:Max", "1000000")), StringComparison.Ordinal);
        Assert.Contains("at least 16667", Refusal(("Drain:Deadline", "00:00:08")), StringComparison.Ordinal);
        Assert.Equal(10_000_000, Read(("Connections:Max", "10000000"), ("Drain:Deadline", "00:33:22")).Connections.Max);
        Assert.Equal(1, Read(("Connections:Max", "20"), ("Drain:ClosesPerSecond", "1")).Drain.ClosesPerSecond);
    }

    [Fact]
    public void Closing_must_end_before_the_deadline()
    {
        Assert.Equal(TimeSpan.FromSeconds(23), Read(("Drain:Over", "00:00:23")).Drain.Over);
        Assert.StartsWith("Push:Drain:Over is '00:00:05'; it accepts at most '00:00:04'", Refusal(("Drain:Deadline", "00:00:06")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 5000, 0, 5000)]
    [InlineData(100_000, 5000, 0, 5000)]
    [InlineData(100_000, 5000, 5, 5000)]
    [InlineData(3000, 5000, 5, 600)]
    [InlineData(10, 5000, 5, 100)]
    [InlineData(10, 20, 5, 20)]
    [InlineData(0, 5000, 3600, 100)]
    public void The_rate_follows_the_time_within_its_least_and_most(int connections, int most, int over, double expected) =>
        Assert.Equal(expected, new DrainSettings { ClosesPerSecond = most, Over = TimeSpan.FromSeconds(over) }.RateFor(connections));

    [Theory]
    [InlineData("example.com")]
    [InlineData("https://example.com/")]
    [InlineData("https://example.com/path")]
    [InlineData("ftp://example.com")]
    [InlineData("https://example.com;;http://localhost")]
    [InlineData("")]
    [InlineData("https://*.example.com")]
    public void An_origin_that_no_browser_sends_is_rejected(string origins) =>
        Assert.Contains("Push:Connections:AllowedOrigins", Refusal(("Connections:AllowedOrigins", origins)), StringComparison.Ordinal);

    private static string Refusal(params (string Key, string Value)[] values) => Assert.Throws<SettingsException>(() => Read(values)).Message;

    private static PushSettings Read(params (string Key, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values.Select(pair => KeyValuePair.Create("Push:" + pair.Key, (string?)pair.Value))).Build();
        return StrictSettings.Read<PushSettings>(configuration, PushSettings.Section);
    }
}
