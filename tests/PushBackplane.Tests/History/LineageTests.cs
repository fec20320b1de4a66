using PushBackplane.History;

namespace PushBackplane.Tests.History;

/// <summary>Where somebody who stands at a position continues, across epochs.</summary>
public sealed class LineageTests
{
    /// <summary>c came from b at 8, b from a at 5; 12 messages, of which those after 3 are kept.</summary>
    private static readonly Lineage C = new("c", [new Ancestor("b", 8), new Ancestor("a", 5)]);

    [Theory]
    [InlineData("c", 12, 12, true, "at the end")]
    [InlineData("c", 7, 7, true, "inside")]
    [InlineData("c", 3, 3, true, "at the floor")]
    [InlineData("c", 2, 3, false, "before the floor")]
    [InlineData("c", 13, 3, false, "after the end: Redis has lost messages without noticing")]
    [InlineData("b", 8, 8, true, "an ancestor, at what is shared")]
    [InlineData("b", 10, 8, false, "an ancestor, beyond what is shared")]
    [InlineData("a", 5, 5, true, "an older ancestor")]
    [InlineData("a", 6, 5, false, "an older ancestor, beyond")]
    [InlineData("a", 1, 3, false, "an older ancestor, before the floor")]
    [InlineData("x", 5, 3, false, "an unknown epoch")]
    public void A_position_is_located(string epoch, long offset, long start, bool isExact, string why)
    {
        _ = why;
        Assert.Equal(new Continuation(start, isExact), C.Locate(new Position(epoch, offset), last: 12, floor: 3));
    }

    /// <summary>What an epoch lost, those before it have lost too.</summary>
    [Fact]
    public void An_older_ancestor_shares_no_more_than_those_after_it() =>
        Assert.Equal(4, new Lineage("c", [new Ancestor("b", 4), new Ancestor("a", 9)]).SharedWith("a"));

    [Theory]
    [InlineData("660cb37065655-660cb37067cdf.1", true)]
    [InlineData("e.0", true)]
    [InlineData("e.9007199254740991", true)]
    [InlineData("e.9007199254740992", false)]
    [InlineData("e.-1", false)]
    [InlineData("e.", false)]
    [InlineData(".1", false)]
    [InlineData("E.1", false)]
    [InlineData("e.1.2", false)]
    [InlineData("e. 1", false)]
    [InlineData("\"e.1", false)]
    [InlineData("", false)]
    public void A_position_is_read_from_text(string text, bool isGood)
    {
        Assert.Equal(isGood, Position.TryParse(text, out var position));
        Assert.Equal(isGood ? text : null, isGood ? position.ToString() : null);
        Assert.False(Position.TryParse(new string('a', Position.MaxEpochLength + 1) + ".1", out _));
    }
}
