using System.Text;
using PushNode.Http;
using PushNode.Messages;
using TestSupport.Clients;

namespace PushNode.Tests.Http;

public sealed class LineStreamTests
{
    [Theory]
    [InlineData("{\"type\":\"PUSH\"}", "{\"type\":\"PUSH\"}")]
    [InlineData("{\r\n\t\"a\" :\n1\r}", "{  \t\"a\" : 1 }")]
    [InlineData("[\"\\n é\u2028\"]", "[\"\\n é\u2028\"]")]
    [InlineData("", "")]
    public void A_message_is_one_line_in_one_chunk(string json, string line)
    {
        var chunks = HttpChunks.ReadAll(LineStream.Line(Encoding.UTF8.GetBytes(json)), out var isComplete);
        Assert.Equal([line + "\n"], chunks);
        Assert.False(isComplete);
    }

    [Fact]
    public void The_last_line_ends_the_response()
    {
        Assert.Equal(["{}\n"], HttpChunks.ReadAll(LineStream.End("{}"u8), out var isComplete));
        Assert.True(isComplete);
    }

    /// <summary>Also that no variant changes the bytes that another one shares.</summary>
    [Fact]
    public void A_batch_is_what_a_WebSocket_client_gets_without_line_breaks()
    {
        var batch = TestFrames.Of("默认").Batch("{\n\"text\": \"é\\n\"\n}", "\"two\"");
        var before = batch.For(Variant.Json).Bytes.ToArray();
        var lines = HttpChunks.ReadAll(batch.For(Variant.Stream).Bytes.ToArray(), out _);
        Assert.Equal(before, batch.For(Variant.Json).Bytes.ToArray());
        var text = Assert.Single(SentFrame.ReadAll(before, out _)).Text;
        Assert.Contains('\n', text);
        Assert.Equal([text.Replace('\n', ' ') + "\n"], lines);
    }

    [Fact]
    public void The_close_message_has_code_and_reason() => Assert.Equal(
        ["{\"type\":\"CLOSE\",\"data\":{\"code\":1001,\"reason\":\"retry=700\"}}\n"],
        HttpChunks.ReadAll(Framing.Of(Variant.Stream).Close(CloseReason.Draining.Retrying(700)), out _));
}
