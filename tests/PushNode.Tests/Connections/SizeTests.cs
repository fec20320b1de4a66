using PushBackplane;
using PushNode.Access;
using PushNode.Connections;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Transport.Epoll;

namespace PushNode.Tests.Connections;

/// <summary>The memory of an idle connection's objects: one more field is 8 bytes for each of many thousands.</summary>
public sealed class SizeTests
{
    /// <summary>
    /// 336 bytes on a 64-bit machine when this was written. Its places in the loop's table and in two member sets take 32 bytes more, and
    /// the spare room there.
    /// </summary>
    [Fact]
    public void An_idle_connection_in_one_room_takes_at_most_336_bytes()
    {
        using var node = new TestNode();
        var rules = new ConnectionRules(new ConnectionSettings(), new OutboxSettings(), node.Time, node.Metrics.Node, static _ => { });
        var room = node.Rooms.Hold(Topic.Room(TestFrames.Room("r")))!;
        var least = long.MaxValue;
        // Now and then a set of members grows meanwhile, which is not a connection's own weight.
        for (var i = 0; i < 100; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var connection = new Connection(rules, new SocketWire(null!, 0, -1), node.Shards.Next());
            var session = new Session(connection, node.Sessions, Principal.Anyone);
            var joined = new JoinedRoom(connection, room, null);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            GC.KeepAlive((session, joined));
        }

        Assert.InRange(least, 1, 336);
    }
}
