using PushBackplane.Restrictions;

namespace PushBackplane.Tests.Restrictions;

public sealed class RestrictionEntryTests
{
    private static readonly DateTimeOffset Until = DateTimeOffset.FromUnixTimeSeconds(1_795_176_000);

    [Theory]
    [InlineData(RestrictionKind.Ban, "alice", null, null, "ban/alice", "1795176000")]
    [InlineData(RestrictionKind.Ban, "默认", null, "spam & more 退房", "ban/默认", "1795176000 spam & more 退房")]
    [InlineData(RestrictionKind.Mute, "a b", null, " ", "mute/a b", "1795176000  ")]
    [InlineData(RestrictionKind.Mute, "alice", "ro om", null, "mute/alice/ro om", "1795176000")]
    public void A_restriction_is_one_field(RestrictionKind kind, string user, string? room, string? reason, string field, string value)
    {
        Assert.True(UserId.TryParse(user, out var id, out _));
        RoomId? where = RoomId.TryParse(room, out var named, out _) ? named : null;
        var restriction = new Restriction(new RestrictionTarget(kind, id, where), Until, reason);
        Assert.Equal((field, value), (RestrictionEntry.Field(restriction.Target), RestrictionEntry.Value(restriction)));
        Assert.True(RestrictionEntry.TryRead(field, value, out var read));
        Assert.Equal(restriction, read);
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("ban", "1")]
    [InlineData("ban/", "1")]
    [InlineData("ban/../x", "1")]
    [InlineData("ban/alice/room", "1")]
    [InlineData("kick/alice", "1")]
    [InlineData("mute/a/b/c", "1")]
    [InlineData("mute/a/..", "1")]
    [InlineData("ban/alice", "")]
    [InlineData("ban/alice", "soon")]
    [InlineData("ban/alice", "-1")]
    [InlineData("ban/alice", "1.5")]
    [InlineData("ban/alice", "99999999999999999")]
    [InlineData("ban/alice", "1 ")]
    [InlineData("ban/alice", "1 a\u0007b")]
    public void What_is_none_is_not_read(string field, string value) => Assert.False(RestrictionEntry.TryRead(field, value, out _));

    [Theory]
    [InlineData("x", true)]
    [InlineData("", false)]
    [InlineData("a\tb", false)]
    [InlineData("a\u0085b", false)]
    [InlineData("\ud83d\ude00", true)]
    public void A_reason_is_text_without_control_characters(string text, bool isReason) => Assert.Equal(isReason, Restriction.IsReason(text));

    [Fact]
    public void A_lone_surrogate_is_no_reason()
    {
        Assert.False(Restriction.IsReason("x\ud83d"));
        Assert.False(Restriction.IsReason("\ude00\ud83d"));
    }

    [Fact]
    public void A_reason_has_100_bytes_at_most()
    {
        Assert.True(Restriction.IsReason(new string('x', 100)));
        Assert.False(Restriction.IsReason(new string('x', 101)));
        Assert.False(Restriction.IsReason(new string('默', 34)));
    }
}
