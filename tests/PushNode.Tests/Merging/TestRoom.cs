using System.Text;
using PushBackplane;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Messages;

namespace PushNode.Tests.Merging;

/// <summary>A room's batch and its merge worker, as a room of the node holds them.</summary>
internal sealed class TestRoom(MergeWorkers merging, string name, RoomFrames frames, RoomMembers members)
{
    private readonly RoomBatch _batch = new(frames, members);
    private readonly MergeWorker _worker = merging.For(Topic.Room(TestFrames.Room(name)));

    public void Receive(ReadOnlyMemory<byte> payload) => _worker.Enqueue(_batch, payload);

    public void Receive(string payload) => Receive(Encoding.UTF8.GetBytes(payload));

    public void LoseInOutage() => _worker.EnqueueGap(_batch);
}
