namespace PushBackplane.Tests;

/// <summary>Users and rooms have the same rules for names, which <see cref="RoomIdTests"/> covers.</summary>
public sealed class UserIdTests
{
    [Fact]
    public void An_error_names_what_a_users_name_is()
    {
        Assert.False(UserId.TryParse("a/b", out var user, out var error));
        Assert.Equal("contains '/'; a user's name is 1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'", error);
        Assert.Equal(default, user);
    }

    [Fact]
    public void A_user_and_a_room_of_one_name_are_two_topics()
    {
        Assert.True(UserId.TryParseEscaped("al%69ce", plusIsSpace: false, out var user, out _));
        Assert.True(RoomId.TryParse("alice"u8, out var room, out _));
        Assert.Equal("alice", user.ToString());
        Assert.NotEqual(Topic.User(user), Topic.Room(room));
        Assert.Equal((null, user), (Topic.User(user).RoomId, Topic.User(user).UserId));
        Assert.Equal((room, null), (Topic.Room(room).RoomId, Topic.Room(room).UserId));
    }
}
