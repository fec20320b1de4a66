namespace PushBackplane.Tests;

public sealed class RoomPatternsTests
{
    [Theory]
    [InlineData("demo", "demo", true)]
    [InlineData("demo", "demo2", false)]
    [InlineData("demo", "Demo", false)]
    [InlineData("news-*", "news-de", true)]
    [InlineData("news-*", "news-", true)]
    [InlineData("news-*", "news", false)]
    [InlineData("news-*", "old-news-de", false)]
    [InlineData("*", "anything", true)]
    [InlineData(".*", ".hidden", true)]
    [InlineData("a, b*", "b1", true)]
    [InlineData("a, b*", "c", false)]
    [InlineData("", "a", false)]
    [InlineData("默认*", "默认房间", true)]
    public void A_list_contains_exact_names_and_those_with_a_prefix(string list, string room, bool isContained)
    {
        Assert.True(RoomPatterns.TryParseList(list, out var patterns, out _));
        Assert.True(RoomId.TryParse(room, out var id, out _));
        Assert.Equal(isContained, patterns.Contains(id));
    }

    [Theory]
    [InlineData("a*b", "the pattern 'a*b' has a '*' before its end; a pattern is a room's name, or the beginning of one and '*'")]
    [InlineData("**", "the pattern '**' has a '*' before its end; a pattern is a room's name, or the beginning of one and '*'")]
    [InlineData("a/b", "the pattern 'a/b' contains '/'")]
    [InlineData("a,,b", "the pattern '' is empty")]
    [InlineData("..", "the pattern '..' is '..'")]
    public void A_pattern_that_is_none_is_named(string list, string error)
    {
        Assert.False(RoomPatterns.TryParseList(list, out var patterns, out var problem));
        Assert.Null(patterns);
        Assert.StartsWith(error, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_has_a_limit()
    {
        var most = Enumerable.Range(0, RoomPatterns.MaxCount).Select(i => $"room{i}").ToArray();
        Assert.True(RoomPatterns.TryParse(most, out _, out _));
        Assert.False(RoomPatterns.TryParse([.. most, "one-more"], out _, out var error));
        Assert.Equal("there are more than 64 patterns, which is the limit", error);
    }

    [Fact]
    public void All_and_none_are_known_as_such()
    {
        Assert.True(RoomPatterns.TryParseList("a,*,b", out var all, out _));
        Assert.True(RoomPatterns.TryParseList(" ", out var none, out _));
        Assert.Equal((true, false, false, true), (all.IsAll, all.IsNone, none.IsAll, none.IsNone));
    }
}
