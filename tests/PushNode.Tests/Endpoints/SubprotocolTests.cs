using PushNode.Endpoints;

namespace PushNode.Tests.Endpoints;

public sealed class SubprotocolTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("push.msgpack", "push.msgpack")]
    [InlineData("push.json", "push.json")]
    [InlineData("push.msgpack, push.json", "push.msgpack")]
    [InlineData("push.json, push.msgpack", "push.json")]
    [InlineData("chat,push.msgpack", "push.msgpack")]
    [InlineData("chat, push.v2", null)]
    [InlineData("\tpush.msgpack ,push.json", "push.msgpack")]
    [InlineData(",, push.json,", "push.json")]
    [InlineData("push.msgpack, push.msgpack", "push.msgpack")]
    [InlineData("PUSH.MSGPACK", null)]
    [InlineData("push.msgpack push.json", null)]
    [InlineData("\"push.msgpack\"", null)]
    [InlineData("push.msgpack;q=1, push.json", "push.json")]
    public void The_first_known_name_wins(string? header, string? chosen) => Assert.Equal(chosen, Subprotocol.Choose(header));

    [Fact]
    public void Several_headers_count_as_one() =>
        Assert.Equal("push.json", Subprotocol.Choose(new(["chat", "x, push.json", "push.msgpack"])));
}
