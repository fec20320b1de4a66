using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Tests.Verification;

public sealed class PositionCheckTests
{
    /// <remarks>
    /// <c>j7</c> is a JOINED at offset 7 that says nothing of recovering, <c>y7</c> one that says recovered, <c>n7</c> one that says not; <c>p3-5</c> is a
    /// PUSH of the messages 3 to 5; <c>g3-5</c> a GAP from 3 to 5. A letter before the offset is its epoch, a without one.
    /// </remarks>
    [Theory]
    [InlineData("j7 p8-8 p9-12 y12 p13-14", null)]
    [InlineData("j0 y0", null)]
    [InlineData("j7 n20 p21-21", null)]
    [InlineData("j7 nb2 pb3-3", null)]
    [InlineData("j7 p8-8 yb8 pb9-9", null)] // A failover that lost nothing: numbers go on in another epoch,
    [InlineData("j7 p8-8 pb9-9", null)] // also without a reconnect.
    [InlineData("j7 g7-9 p10-10 g10-b2 pb3-3", null)]
    [InlineData("j7 g7-9 y9", null)]
    [InlineData("j7 p9-9", "PUSH leaves a hole behind the position")]
    [InlineData("j7 p7-8", "PUSH repeats what is before the position")]
    [InlineData("j7 p8-9 y8", "JOINED says recovered, but is at another position")]
    [InlineData("j7 p8-9 y9 p11-11", "PUSH leaves a hole behind the position")]
    [InlineData("j7 p8-9 j9", "JOINED does not say whether the position is recovered")]
    [InlineData("y7", "JOINED says recovered, but no position was asked for")]
    [InlineData("j7 g8-9", "GAP does not begin at the position")]
    [InlineData("j7 g7-9 p9-9", "PUSH repeats what is before the position")]
    [InlineData("j7 g", "GAP without from and to")]
    [InlineData("j", "JOINED without a position: the room has no history")]
    public void What_does_not_continue_at_the_position_is_named(string words, string? fault)
    {
        var check = new PositionCheck();
        var found = words.Split(' ').Select(word => Apply(check, word)).FirstOrDefault(problem => problem is not null);
        Assert.Equal(fault, found);
    }

    [Fact]
    public void A_member_has_caught_up_with_the_first_message_due_after_its_JOIN()
    {
        var check = new PositionCheck();
        check.Join(null, new Position("a", 1), askedAt: 100);
        Assert.Null(check.CatchUp(200));
        check.Join(true, new Position("a", 1), askedAt: 300);
        Assert.Null(check.CatchUp(299));
        Assert.True(check.IsCatchingUp);
        Assert.Equal(300, check.CatchUp(300));
        Assert.Null(check.CatchUp(301));
        check.Join(false, new Position("a", 9), askedAt: 400);
        Assert.False(check.IsCatchingUp);
    }

    private static string? Apply(PositionCheck check, string word)
    {
        var offsets = word[1..].Split('-');
        var last = Of(offsets[^1]);
        return word[0] switch
        {
            'p' => check.Push(last, last!.Value.Offset - Of(offsets[0])!.Value.Offset + 1),
            'g' => check.Gap(Of(offsets[0]), last),
            'j' => check.Join(null, last, 1),
            var answer => check.Join(answer == 'y', last, 1),
        };
    }

    private static Position? Of(string text)
    {
        if (text.Length == 0)
            return null;
        var hasEpoch = char.IsLetter(text[0]);
        return new Position(hasEpoch ? text[..1] : "a", int.Parse(hasEpoch ? text[1..] : text, System.Globalization.CultureInfo.InvariantCulture));
    }
}
