using PushLoad.Measurement;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// A room as one loop sees it: its latest frames, and what its members there found. Members are at most a few frames apart, so the last eight frames are
/// nearly always enough; a frame that has gone is parsed again, which costs time and changes no result. One thread.
/// </summary>
internal sealed class LoadRoom
{
    private const int FramesToKeep = 8;

    private readonly RoomFrame?[] _frames = new RoomFrame?[FramesToKeep];
    private int _newest;

    public LoadRoom(int index, string name)
    {
        Index = index;
        Name = name;
        Join = ClientFrames.Join(name);
        Leave = ClientFrames.Leave(name);
    }

    public int Index { get; }

    public string Name { get; }

    public byte[] Join { get; }

    public byte[] Leave { get; }

    public PublishTimes Times { get; } = new();

    public MemberFaults Faults { get; } = new();

    /// <summary>A frame that begins with all these bytes; with a whole frame, that very frame.</summary>
    public RoomFrame? Find(ReadOnlySpan<byte> beginning)
    {
        for (var i = 0; i < FramesToKeep; i++)
        {
            var frame = _frames[(_newest - i + FramesToKeep) % FramesToKeep];
            if (frame is not null && frame.Bytes.AsSpan().StartsWith(beginning))
                return frame;
        }

        return null;
    }

    /// <summary>Keeps a frame, for the oldest one.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="completion">Gets the time from the oldest frame's newest message to its last copy.</param>
    public void Keep(RoomFrame frame, Histogram completion)
    {
        foreach (var message in frame.Batch.Messages)
            Times.Add(message.Sequence, message.At);
        _newest = (_newest + 1) % FramesToKeep;
        RecordCompletion(_frames[_newest], completion);
        _frames[_newest] = frame;
    }

    /// <summary>The run is over: records the frames that are still kept.</summary>
    public void RecordCompletions(Histogram completion)
    {
        foreach (var frame in _frames)
            RecordCompletion(frame, completion);
        Array.Clear(_frames);
    }

    private static void RecordCompletion(RoomFrame? frame, Histogram completion)
    {
        if (frame is { LastSeen: > 0, Batch.Messages.Length: > 0 })
            completion.Record(frame.LastSeen - frame.Batch.Messages[^1].At);
    }
}
