using System.Text;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using PushNode.Connections;
using PushNode.Control;
using PushNode.FanOut;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Control;

/// <summary>
/// A node without a listener that obeys commands. Its clients are admitted and, after a close frame, leave when the test says so.
/// </summary>
internal sealed class ControlledNode : IDisposable
{
    public const string Name = "node-1";
    public const string Channel = "push:control";

    private readonly ManualResetEventSlim _release = new();

    public ControlledNode(DrainSettings? settings = null)
    {
        Admission = new Admission(new ConnectionSettings(), new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), Metrics.Node);
        Drain = new Drain(Admission, Node.Merging, Node.Shards, settings ?? new(), Time, DrainLog);
        var channel = new ControlChannel(Node.Backplane, Name, Drain, new UserControl(Node.Restrictions, Node.Users, Node.Access, Time), Metrics.Node, Time, ChannelLog);
        Assert.True(channel.StartAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    public TestNode Node { get; } = new(auth: new AuthSettings { Mode = AuthMode.Optional });

    public ManualTime Time => Node.Time;

    public TestMetrics Metrics => Node.Metrics;

    public Admission Admission { get; }

    public Drain Drain { get; }

    public LogRecorder<Drain> DrainLog { get; } = new();

    public LogRecorder<ControlChannel> ChannelLog { get; } = new();

    public List<TestClient> Clients { get; } = [];

    /// <summary>Clients that got a close frame.</summary>
    public int Closed => Clients.Count(client => IsClosed(client.Connection));

    /// <summary>The reasons of their close frames.</summary>
    public IEnumerable<string> Hints => Clients.SelectMany(client => client.Frames).Where(frame => frame.Opcode == WsOpcode.Close).Select(frame => Encoding.UTF8.GetString(frame.Payload.AsSpan(2)));

    public void Connect(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.Null(Admission.TryEnter());
            Clients.Add(Node.Connect());
        }
    }

    /// <summary>Ends all clients that got a close frame.</summary>
    public void EndClosed()
    {
        foreach (var client in Clients.Where(client => IsClosed(client.Connection)).ToList())
        {
            client.End();
            Admission.Leave();
            Clients.Remove(client);
        }
    }

    /// <summary>Blocks a fan-out thread with a member whose wire does not return until the node is disposed.</summary>
    public void BlockFanOut()
    {
        // Not a member of Everyone, so that nothing else waits for its gate.
        var member = new TestClient(Metrics, Time);
        member.Wire.OnWrite = _release.Wait;
        var room = new RoomMembers(Node.Shards);
        var frames = TestFrames.Of("stuck");
        room.Add(member.Member(frames));
        Node.Shards.Dispatch(room, frames.Batch("1"));
    }

    public void Publish(string payload) => Assert.True(Node.Backplane.Publish(Channel, payload));

    public void Publish(byte[] payload) => Assert.True(Node.Backplane.Publish(Channel, payload));

    /// <summary>Messages on the channel with this result.</summary>
    public long Counted(string? result = null) => Metrics.Read("push.control_messages", result);

    public bool IsDraining => Admission.NotReadyBecause is not null;

    public void Dispose()
    {
        _release.Set();
        Node.Dispose();
        _release.Dispose();
    }

    /// <summary>Looks under the gate: a connection begins to close before its close frame is written.</summary>
    private static bool IsClosed(Connection connection)
    {
        lock (connection)
            return connection.IsClosing;
    }
}
