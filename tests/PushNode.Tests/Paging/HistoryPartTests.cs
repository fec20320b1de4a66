using System.Text;
using PushBackplane.History;
using PushNode.Paging;

namespace PushNode.Tests.Paging;

public class HistoryPartTests
{
    /// <summary>Offsets 3 and 4, 5 to 7, and 8, after two that are gone.</summary>
    private static readonly HistoryPage Page = new(new Lineage("e", []), Last: 8, Floor: 2, [Entry(3, "3", "4"), Entry(5, "5", "6", "7"), Entry(8, "8")]);

    [Theory]
    [InlineData(2, 100, 1000, "e.8 3,4,5,6,7,8")]
    [InlineData(5, 100, 1000, "e.8 6,7,8")]
    [InlineData(7, 100, 1000, "e.8 8")]
    [InlineData(8, 100, 1000, "e.8 ")]
    [InlineData(2, 1, 1000, "e.3 3 more")]
    [InlineData(3, 3, 1000, "e.6 4,5,6 more")]
    [InlineData(2, 6, 1000, "e.8 3,4,5,6,7,8")]
    [InlineData(2, 100, 4, "e.6 3,4,5,6 more")]
    [InlineData(2, 100, 0, "e.3 3 more")]
    public void A_part_begins_after_the_position_and_ends_at_its_limits(long start, int limit, long bytes, string expected)
    {
        var part = HistoryPart.Cut(Page, new Continuation(start, IsExact: true), limit, bytes, largestItem: 10);
        Assert.True(part.IsExact);
        Assert.Equal(expected, Text(part));
    }

    /// <summary>Otherwise every later message would have another number for the client than for the others.</summary>
    [Fact]
    public void A_message_that_cannot_be_delivered_is_null()
    {
        var page = new HistoryPage(Page.Lineage, 4, 0, [new HistoryEntry(1, default, [new byte[] { 0xFF }, "plain"u8.ToArray(), "\"12345678901\""u8.ToArray(), "{}"u8.ToArray()])]);
        Assert.Equal("e.4 null,\"plain\",null,{}", Text(HistoryPart.Cut(page, new Continuation(0, IsExact: true), 100, 1000, largestItem: 10)));
    }

    [Fact]
    public void A_part_ends_before_a_hole_and_the_next_says_so()
    {
        var page = Page with { Entries = [Page.Entries[0], Page.Entries[2]] };
        var part = HistoryPart.Cut(page, new Continuation(2, IsExact: true), 100, 1000, 10);
        Assert.Equal((true, "e.4 3,4 more"), (part.IsExact, Text(part)));
        part = HistoryPart.Cut(page, new Continuation(4, IsExact: true), 100, 1000, 10);
        Assert.Equal((false, "e.8 8"), (part.IsExact, Text(part)));
    }

    /// <summary>Otherwise the client would ask for the same part for ever.</summary>
    [Fact]
    public void Messages_of_which_none_is_kept_are_passed_over()
    {
        var part = HistoryPart.Cut(Page with { Entries = [] }, new Continuation(5, IsExact: true), 100, 1000, 10);
        Assert.Equal((false, "e.8 "), (part.IsExact, Text(part)));
    }

    private static HistoryEntry Entry(long first, params string[] items) =>
        new(first, default, [.. items.Select(item => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(item))]);

    private static string Text(HistoryPart part) =>
        $"{part.End} {string.Join(',', part.Items.Select(item => Encoding.UTF8.GetString(item.Span)))}{(part.HasMore ? " more" : "")}";
}
