using PushNode.Protocol;

namespace PushNode.Tests.Protocol;

public sealed class UrlPlaceTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("?room=a&since=e-1.7&last=20&room=b&last=5", "JOINED a", "JOINED b")]
    [InlineData("?room=a&since=yesterday&room=b", "ERROR bad_position", "JOINED a", "JOINED b")]
    [InlineData("?room=a&room=b&last=-1", "JOINED a", "ERROR bad_position", "JOINED b")]
    [InlineData("?room=a&last=1001", "ERROR bad_position", "JOINED a")]
    [InlineData("?last=5&room=a", "ERROR bad_position", "JOINED a")]
    [InlineData("?since=e.1&last=1&token=x", "ERROR bad_position")]
    public void A_bad_place_is_told_and_its_room_is_joined_without(string query, params string[] answers)
    {
        var client = _node.Connect(out var session);
        UrlRooms.Join(session, query, maxRooms: 5);
        Assert.Equal(answers, client.Received);
    }

    /// <summary>Otherwise a short URL costs the node a thousand frames.</summary>
    [Fact]
    public void Repeated_bad_places_of_a_room_get_one_error()
    {
        var client = _node.Connect(out var session);
        UrlRooms.Join(session, "room=a&" + string.Join('&', Enumerable.Repeat("since=x&last=x", 500)), maxRooms: 5);
        Assert.Equal(["ERROR bad_position", "JOINED a"], client.Received);
    }

    [Theory]
    [InlineData("room=a", "e.7", "JOINED a")]
    [InlineData("room=a&since=e.1", "e.7", "JOINED a")]
    [InlineData("room=a", "yesterday", "ERROR bad_position", "JOINED a")]
    [InlineData("room=a&room=b", "yesterday", "JOINED a", "JOINED b")]
    [InlineData("", "yesterday")]
    public void The_id_of_the_last_event_counts_for_the_only_room(string query, string lastEventId, params string[] answers)
    {
        var client = _node.Connect(out var session);
        UrlRooms.Join(session, query, maxRooms: 5, lastEventId);
        Assert.Equal(answers, client.Received);
    }
}
