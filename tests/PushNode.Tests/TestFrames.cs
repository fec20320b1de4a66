using System.Text;
using PushBackplane;
using PushNode.Framing;

namespace PushNode.Tests;

/// <summary>Rooms and frames for tests.</summary>
internal static class TestFrames
{
    public static RoomId Room(string name)
    {
        Assert.True(RoomId.TryParse(name, out var room, out var error), error);
        return room;
    }

    public static RoomFrames Of(string name) => new(Room(name));

    public static Frame Push(this RoomFrames frames, params string[] messages) =>
        frames.Push([.. messages.Select(message => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(message))]);
}
