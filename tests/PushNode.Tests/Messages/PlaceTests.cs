using System.Text;
using PushNode.Messages;

namespace PushNode.Tests.Messages;

public class PlaceTests
{
    [Theory]
    [InlineData("""{"room":"r"}""", null, 0, 0)]
    [InlineData("""{"room":"r","since":null,"last":null,"limit":null}""", null, 0, 0)]
    [InlineData("""{"room":"r","since":{"epoch":"a-1","offset":0},"last":0}""", "a-1.0", 0, 0)]
    [InlineData("""{"room":"r","since":{"offset":9007199254740991,"epoch":"z","more":[]},"last":1000,"limit":1000}""", "z.9007199254740991", 1_000, 1_000)]
    public void A_join_says_where_it_wants_to_begin(string data, string? since, int last, int limit)
    {
        foreach (var type in (string[])["JOIN", "HISTORY"])
        {
            var request = Parse(type, data);
            Assert.Null(request.Error);
            Assert.Equal((since, last, limit), (request.Since?.ToString(), request.Last, request.Limit));
        }
    }

    [Theory]
    [InlineData("""{"since":"a.7"}""", "data.since")]
    [InlineData("""{"since":7}""", "data.since")]
    [InlineData("""{"since":{}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a"}}""", "data.since")]
    [InlineData("""{"since":{"offset":7}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"","offset":7}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"A","offset":7}}""", "data.since")]
    [InlineData("""{"since":{"epoch":7,"offset":7}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"\uD800","offset":7}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a","offset":-1}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a","offset":"7"}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a","offset":7.5}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a","offset":9007199254740992}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"a","offset":1e99}}""", "data.since")]
    [InlineData("""{"since":{"epoch":"01234567890123456789012345678901234567890123456789012345678901234","offset":7}}""", "data.since")]
    [InlineData("""{"last":-1}""", "data.last")]
    [InlineData("""{"last":1001}""", "data.last")]
    [InlineData("""{"last":true}""", "data.last")]
    [InlineData("""{"last":99999999999999}""", "data.last")]
    [InlineData("""{"limit":1001}""", "data.limit")]
    [InlineData("""{"limit":"1"}""", "data.limit")]
    public void A_place_that_is_not_accepted_is_an_error_that_names_it(string data, string name)
    {
        foreach (var type in (string[])["JOIN", "HISTORY"])
        {
            var request = Parse(type, data);
            Assert.Equal((ErrorCode.BadPosition, "5"), (request.Error?.Code, request.Id));
            Assert.StartsWith($"{name} is not accepted; it accepts ", request.Error?.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Members that a type does not have are ignored, whatever they are.</summary>
    [Theory]
    [InlineData("PING")]
    [InlineData("LEAVE")]
    [InlineData("SEND")]
    public void Only_a_join_and_a_history_have_a_place(string type)
    {
        var request = Parse(type, """{"room":"r","since":"yesterday","last":-5,"limit":[]}""");
        Assert.Null(request.Error);
        Assert.Null(request.Since);
    }

    [Theory]
    [InlineData("a.7", "a.7")]
    [InlineData("5f1-c%2E7", "5f1-c.7")]
    [InlineData("a", null)]
    [InlineData("", null)]
    [InlineData(".7", null)]
    [InlineData("a.", null)]
    [InlineData("a.7.8", null)]
    [InlineData("a.+7", null)]
    [InlineData("a.%2D7", null)]
    [InlineData("a.99999999999999999999", null)]
    [InlineData("%FF.7", null)]
    [InlineData("%", null)]
    public void A_url_has_a_position_in_one_piece(string text, string? expected)
    {
        Assert.Equal(expected is not null, Place.TryParseSince(text, out var since));
        Assert.Equal(expected, since?.ToString());
    }

    private static Request Parse(string type, string data) =>
        Request.Parse(Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","id":5,"data":{{data}}}"""));
}
