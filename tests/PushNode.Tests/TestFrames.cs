using System.Text;
using PushBackplane;
using PushNode.Access;
using PushNode.Messages;
using PushNode.WebSocket;

namespace PushNode.Tests;

/// <summary>Rooms and frames for tests.</summary>
internal static class TestFrames
{
    public static RoomId Room(string name)
    {
        Assert.True(RoomId.TryParse(name, out var room, out var error), error);
        return room;
    }

    public static UserId User(string name)
    {
        Assert.True(UserId.TryParse(name, out var user, out var error), error);
        return user;
    }

    /// <summary>A user who may join every room, and send into it.</summary>
    public static Principal Principal(string user) => new() { User = User(user), Join = RoomPatterns.All, Send = RoomPatterns.All };

    public static Frame Ping { get; } = new(ControlFrames.Ping());

    public static Frame Pong(params byte[] payload) => new(ControlFrames.Pong(payload));

    public static Frame Text(ReadOnlySpan<byte> utf8) => new(FrameWriter.Write(Opcode.Text, utf8));

    public static RoomFrames Of(string name) => new(Topic.Room(Room(name)));

    public static Frame Push(this RoomFrames frames, params string[] messages) => frames.Batch(messages).For(Variant.Json);

    public static Batch Batch(this RoomFrames frames, params string[] messages) =>
        frames.Push((RoomMessage[])[.. messages.Select(message => new RoomMessage(Encoding.UTF8.GetBytes(message)))]);
}
