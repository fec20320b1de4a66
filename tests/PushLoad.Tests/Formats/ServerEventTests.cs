using System.Text;
using PushLoad.Formats;
using PushLoad.Messages;

namespace PushLoad.Tests.Formats;

public sealed class ServerEventTests
{
    [Theory]
    [InlineData("event: push\ndata: {\"a\":1}\n\n", "push", "{\"a\":1}", null)]
    [InlineData("data:x\nevent:gap\n\n", "gap", "x", null)]
    [InlineData("retry: 250\n\n", "", "", 250L)]
    [InlineData(":comment\nid: 7\nunknown: x\nnothing\ndata:  two\n\n", "", " two", null)]
    public void Fields_are_read_as_the_standard_says(string block, string name, string data, long? retry)
    {
        Assert.True(ServerEvent.TryParse(Encoding.UTF8.GetBytes(block), out var parsed));
        Assert.Equal((name, data, retry), (Encoding.UTF8.GetString(parsed.Name), Encoding.UTF8.GetString(parsed.Data), parsed.Retry));
    }

    [Theory]
    [InlineData("event: push\rdata: {}\n\n")]
    [InlineData("data: {\ndata: }\n\n")]
    [InlineData("retry: soon\n\n")]
    [InlineData("retry: -1\n\n")]
    [InlineData("retry: 99999999999999999999\n\n")]
    public void What_the_server_never_sends_is_refused(string block) => Assert.False(ServerEvent.TryParse(Encoding.UTF8.GetBytes(block), out _));

    [Theory]
    [InlineData("push", """{"room":"r","items":[1]}""", ServerMessageType.Push)]
    [InlineData("joined", """{"room":"r"}""", ServerMessageType.Joined)]
    [InlineData("PUSH", """{"room":"r"}""", ServerMessageType.Unknown)]
    [InlineData("", """{"room":"r"}""", ServerMessageType.Unknown)]
    internal void The_name_is_the_type_in_small_letters(string name, string data, ServerMessageType type)
    {
        Assert.True(ServerMessage.TryParseEvent(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(data), out var message));
        Assert.Equal((type, "r"), (message.Type, message.Room));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"room":"r"} {}""")]
    [InlineData("""{"room":"r",""")]
    public void Data_is_one_object(string data) => Assert.False(ServerMessage.TryParseEvent("push"u8, Encoding.UTF8.GetBytes(data), out _));
}
