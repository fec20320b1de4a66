using System.Text;
using PushNode.Messages;

namespace PushNode.Tests.Messages;

public class EventIdTests
{
    [Theory]
    [InlineData("PUSH", """{"room":"r","epoch":"e-1","offset":12,"items":[1,2]}""", "e-1.12")]
    [InlineData("PUSH", """{"room":"r","online":7,"epoch":"e","offset":9007199254740991,"positioned":1,"items":[1,2]}""", "e.9007199254740991")]
    [InlineData("JOINED", """{"room":"r","recovered":false,"epoch":"e","offset":0,"online":3}""", "e.0")]
    [InlineData("GAP", """{"room":"r","missed":5,"reason":"slow","from":{"epoch":"old","offset":2},"to":{"epoch":"e","offset":7}}""", "e.7")]
    [InlineData("GAP", """{"room":"r","missed":null,"reason":"epoch","to":{"offset":7,"epoch":"e"},"from":{"epoch":"old","offset":2}}""", "e.7")]
    public void An_event_with_a_position_has_it_as_its_id(string type, string data, string id) =>
        Assert.Equal($"event: {type.ToLowerInvariant()}\nid: {id}\ndata: {data}\n\n", Encode(type, data));

    /// <summary>What a publisher or a room's name says is no position, and an id of anything else would make the client skip messages.</summary>
    [Theory]
    [InlineData("PUSH", """{"room":"r","items":[1]}""")]
    [InlineData("PUSH", """{"items":[{"epoch":"e","offset":1}]}""")]
    [InlineData("PUSH", """{"room":"r","items":["x"],"epoch":"e","offset":1}""")]
    [InlineData("PUSH", """{"room":"\",\"epoch\":\"e\",\"offset\":1,\"","items":[]}""")]
    [InlineData("JOINED", """{"room":"epoch","recovered":false}""")]
    [InlineData("GAP", """{"room":"r","missed":null,"reason":"backplane"}""")]
    [InlineData("GAP", """{"room":"r","missed":1,"reason":"slow","from":{"epoch":"e","offset":2}}""")]
    [InlineData("ERROR", """{"code":"x","epoch":"e","offset":1}""")]
    [InlineData("PUSH", """{"epoch":"E\n","offset":1,"items":[]}""")]
    public void An_event_without_a_position_has_no_id(string type, string data) =>
        Assert.Equal($"event: {type.ToLowerInvariant()}\ndata: {data}\n\n", Encode(type, data));

    private static string Encode(string type, string data)
    {
        var chunk = Encoding.UTF8.GetString(Framing.Of(Variant.Sse).Encode(Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","data":{{data}}}""")));
        return chunk[(chunk.IndexOf('\n', StringComparison.Ordinal) + 1)..^2];
    }
}
