using System.Text;
using System.Text.Json;
using PushLoad.Messages;

namespace PushLoad.Tests.Messages;

public sealed class LoadMessageTests
{
    [Fact]
    public void A_message_has_exactly_the_wanted_size_and_survives_parsing()
    {
        var message = new LoadMessage(4711, 12, 123_456, 1_234_567_890_123, 10_000);
        var shortest = message.Write(new byte[200], 0);
        for (var size = shortest; size < shortest + 30; size++)
        {
            var bytes = new byte[200];
            Assert.Equal(size, message.Write(bytes, size));
            var batch = Batch.TryParse([(byte)'[', .. bytes.AsSpan(0, size), (byte)']'], 4711, 12, size);
            Assert.Equal([message], batch!.Messages);
            Assert.Equal(0, batch.Changed);
        }
    }

    /// <remarks>Any other character in place of each: the message is foreign, of another room, malformed, changed, or has another number.</remarks>
    [Fact]
    public void A_change_of_any_byte_is_seen()
    {
        var message = new LoadMessage(4711, 12, 123_456, 1_234_567_890_123, 10_000);
        var bytes = new byte[300];
        var size = message.Write(bytes, 200);
        for (var i = 0; i < size; i++)
        {
            foreach (var replacement in (byte[])[(byte)(bytes[i] ^ 1), (byte)'7', (byte)'a', (byte)' ', (byte)'"'])
            {
                var changed = bytes[..size];
                changed[i] = replacement;
                if (replacement == bytes[i])
                    continue;
                Assert.False(Arrives(changed), Encoding.UTF8.GetString(changed));
            }
        }

        Assert.True(Arrives(bytes[..size]));

        bool Arrives(byte[] item)
        {
            try
            {
                var batch = Batch.TryParse([(byte)'[', .. item, (byte)']'], 4711, 12, 200);
                return batch is { Changed: 0 } && batch.Messages.SequenceEqual([message]);
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    [Fact]
    public void The_longest_unpadded_message_fits_its_buffer()
    {
        var longest = new LoadMessage(int.MaxValue, int.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue);
        Assert.InRange(longest.Write(new byte[200], 0), 1, LoadMessage.MaxUnfilled);
    }

    [Fact]
    public void Foreign_messages_are_counted_apart()
    {
        var batch = Batch.TryParse(
            """
            ["text",3,null,{"k":1,"r":0,"s":5,"t":50,"p":10},{"k":2,"r":0,"s":5,"t":50,"p":10},{"k":{"k":1}},
             [{"k":1,"r":0,"s":6,"t":50,"p":10}],{"s":7,"k":1,"other":[{}],"r":0,"p":10,"t":60}]
            """u8,
            1,
            0,
            0)!;
        Assert.Equal([5, 7], batch.Messages.Select(message => message.Sequence));
        Assert.Equal(6, batch.Foreign);
        Assert.False(batch.IsConsecutive);
    }

    [Theory]
    [InlineData("""{"a":1}""")]
    [InlineData("""[{"k":1,"r":9,"s":5,"t":50,"p":10}]""")] // Of this run, but published to another room.
    [InlineData("")]
    public void Items_that_no_correct_server_sends_are_rejected(string items) => Assert.Null(Batch.TryParse(Encoding.UTF8.GetBytes(items), 1, 0, 0));

    [Theory]
    [InlineData("""{"type":"PUSH","data":{"room":"r","items":[1,{"a":[2]}]}}""")]
    [InlineData("""{"data":{"items":[1,{"a":[2]}],"new":{"room":"x"},"room":"r"},"id":[1],"type":"PUSH"}""")]
    public void A_push_is_parsed_in_any_order_of_its_members(string json)
    {
        Assert.True(ServerMessage.TryParse(Encoding.UTF8.GetBytes(json), out var message));
        Assert.Equal((ServerMessageType.Push, "r"), (message.Type, message.Room));
        Assert.Equal("""[1,{"a":[2]}]""", Encoding.UTF8.GetString(message.Items));
    }

    [Theory]
    [InlineData("""{"type":"GAP","data":{"room":"r","missed":37,"reason":"slow"}}""", 37L)]
    [InlineData("""{"type":"GAP","data":{"room":"r","missed":null,"reason":"backplane"}}""", null)]
    public void A_gap_gives_a_number_or_null(string json, long? missed)
    {
        Assert.True(ServerMessage.TryParse(Encoding.UTF8.GetBytes(json), out var message));
        Assert.Equal((ServerMessageType.Gap, missed), (message.Type, message.Missed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("""{"type":"PUSH","data":{"room":"r","items":[1]""")]
    [InlineData("""{"type":"PONG"} {}""")]
    [InlineData("""{"type":1}""")]
    [InlineData("""[]""")]
    public void Invalid_messages_are_rejected(string json) => Assert.False(ServerMessage.TryParse(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void Published_json_is_valid()
    {
        var bytes = new byte[500];
        using var json = JsonDocument.Parse(bytes.AsMemory(0, new LoadMessage(1, 2, 3, 4, 5).Write(bytes, 300)));
        Assert.Equal(300, json.RootElement.GetRawText().Length);
    }
}
