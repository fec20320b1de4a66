using System.Text;
using PushNode.Control;

namespace PushNode.Tests.Control;

public sealed class ControlChannelTests
{
    private const string Drain = """{"command":"drain","node":"node-1"}""";
    private const string Undrain = """{"command":"undrain","node":"node-1"}""";

    public static TheoryData<string, string> Hostile => new()
    {
        { "too_large", "\"" + new string('x', ControlCommand.MaxBytes) + "\"" },
        { "too_large", Drain + new string(' ', ControlCommand.MaxBytes) },
        { "bad_json", "" },
        { "bad_json", "drain node-1" },
        { "bad_json", "\uFEFF" + Drain },
        { "bad_json", Drain + Drain },
        { "bad_json", "{\"command\":\"drain\",\"node\":\"node-1\"" },
        { "bad_json", string.Concat(Enumerable.Repeat("[", 1000)) },
        { "bad_command", string.Concat(Enumerable.Repeat("[", 60)) + string.Concat(Enumerable.Repeat("]", 60)) },
        { "bad_command", "null" },
        { "bad_command", "\"drain\"" },
        { "bad_command", $"[{Drain}]" },
        { "bad_command", "{}" },
        { "bad_command", """{"command":"drain"}""" },
        { "bad_command", """{"node":"node-1"}""" },
        { "bad_command", """{"command":"drain","node":"*"}""" },
        { "bad_command", """{"command":"drain","node":"node-*"}""" },
        { "bad_command", """{"command":"drain","node":""}""" },
        { "bad_command", """{"command":"drain","node":null}""" },
        { "bad_command", """{"command":"drain","node":7}""" },
        { "bad_command", """{"command":"drain","node":["node-1"]}""" },
        { "bad_command", """{"command":"drain","node":{"name":"node-1"}}""" },
        { "bad_command", """{"command":"drain","nodes":["node-1"]}""" },
        { "bad_command", """{"command":"drain","node":"\ud800"}""" },
        { "bad_command", """{"\ud800":1,"command":"drain","node":"node-1"}""" },
        { "bad_command", """{"command":"\ud800","node":"node-1"}""" },
        { "bad_command", """{"command":"drain","node":"node-2","node":"node-1"}""" },
        { "bad_command", """{"command":"undrain","command":"drain","node":"node-1"}""" },
        { "bad_command", """{"command":"drain","node":"node-1","after":"00:10:00"}""" },
        { "bad_command", """{"command":"drain","node":"node-1","Command":"drain"}""" },
        { "bad_command", """{"command":"Drain","node":"node-1"}""" },
        { "bad_command", """{"command":"stop","node":"node-1"}""" },
        { "bad_command", """{"command":true,"node":"node-1"}""" },
        { "bad_command", """{"command":["drain"],"node":"node-1"}""" },
        { "other_node", """{"command":"drain","node":"node-2"}""" },
        { "other_node", """{"command":"drain","node":"Node-1"}""" },
        { "other_node", """{"command":"drain","node":"node-1 "}""" },
        { "other_node", """{"command":"what a later version knows","node":"node-2","with":{"more":1}}""" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Messages_that_are_no_command_to_this_node_are_counted_and_ignored(string result, string payload)
    {
        using var node = new ControlledNode();
        node.Publish(payload);
        Assert.Equal((1, 1), (node.Counted(result), node.Counted()));
        Assert.False(node.IsDraining);
        Assert.Equal(result == "other_node" ? 0 : 1, node.ChannelLog.Count(4014));

        // The next command is carried out.
        node.Publish(Drain);
        Assert.True(node.IsDraining);
    }

    [Fact]
    public void A_message_with_invalid_UTF_8_anywhere_is_ignored()
    {
        using var node = new ControlledNode();
        node.Publish([0xFF, .. Encoding.UTF8.GetBytes(Drain)]);
        node.Publish([.. Encoding.UTF8.GetBytes("""{"command":"drain","node":"node-"""), 0xE9, .. "\"}"u8]);
        node.Publish([0xC1, 0x01, 0x92]);
        Assert.Equal((3, 3), (node.Counted("bad_json"), node.Counted()));
        Assert.False(node.IsDraining);
    }

    [Theory]
    [InlineData(Drain)]
    [InlineData("""{"node":"node-1","command":"drain"}""")]
    [InlineData(" {\n \"command\" : \"drain\" , \"node\" : \"node-1\" } ")]
    [InlineData("""{"command":"\u0064rain","node":"node\u002d1"}""")]
    public void A_command_to_this_node_is_applied_once(string drain)
    {
        using var node = new ControlledNode();
        node.Publish(Undrain);
        Assert.Equal((1, 1), (node.Counted("unchanged"), node.Counted()));
        node.Publish(drain);
        Assert.True(node.IsDraining);
        Assert.Equal((1, 2), (node.Counted("applied"), node.Counted()));
        node.Publish(drain);
        Assert.Equal((2, 3), (node.Counted("unchanged"), node.Counted()));
        node.Publish(Undrain);
        Assert.False(node.IsDraining);
        Assert.Equal((2, 4), (node.Counted("applied"), node.Counted()));
        Assert.Equal(0, node.ChannelLog.Count(4014));
    }

    [Fact]
    public async Task Commands_are_ignored_while_the_program_ends()
    {
        using var node = new ControlledNode();
        await node.Drain.EndAsync();
        node.Publish(Undrain);
        node.Publish(Drain);
        Assert.Equal((2, 2), (node.Counted("unchanged"), node.Counted()));
        Assert.True(node.IsDraining);
    }

    [Fact]
    public void Each_kind_of_bad_message_is_logged_once_per_ten_seconds_without_text()
    {
        using var node = new ControlledNode();
        for (var i = 0; i < 1000; i++)
        {
            node.Publish("""{"command":"rm -rf","node":"node-1"}""");
            node.Publish("rubbish \u001b[2J");
            node.Publish("""{"command":"drain","node":"node-2"}""");
        }

        Assert.Equal(2, node.ChannelLog.Count(4014));
        node.Time.Advance(TimeSpan.FromSeconds(10));
        node.Publish("rubbish");
        Assert.Equal(3, node.ChannelLog.Count(4014));
        Assert.Equal((1001, 1000, 1000), (node.Counted("bad_json"), node.Counted("bad_command"), node.Counted("other_node")));
        Assert.DoesNotContain("rubbish", node.ChannelLog.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("rm", node.ChannelLog.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_bytes_are_counted_and_ignored()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var node = new ControlledNode();
        var command = Encoding.UTF8.GetBytes("""{"command":"stop","node":"node-1"}""");
        for (var i = 0; i < 20_000; i++)
        {
            var payload = random.Next(2) == 0 ? new byte[random.Next(60)] : [.. command];
            for (var n = random.Next(1, 4); n > 0 && payload.Length > 0; n--)
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
            node.Publish(payload);
        }

        Assert.Equal(20_000, node.Counted());
        Assert.Equal(0, node.Counted("applied"));
        Assert.False(node.IsDraining);
    }
}
