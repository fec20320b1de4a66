using PushLoad.Formats;
using PushLoad.Measurement;
using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// A room as one loop sees it: its latest frames, and the faults that its members found. Members are at most a few frames apart, so eight
/// frames are nearly always enough; an older frame is parsed again, which costs time but does not change the result. One thread.
/// </summary>
internal sealed class LoadRoom
{
    private const int FramesToKeep = 8;

    private readonly RoomFrame?[] _frames = new RoomFrame?[FramesToKeep];
    private readonly bool _online;
    private int _newest;

    /// <param name="index">Its number.</param>
    /// <param name="name">Its name.</param>
    /// <param name="messagePack">Whether its JOINs and LEAVEs are MessagePack.</param>
    /// <param name="online">Whether its JOINs ask for the number of members.</param>
    /// <param name="isUser">Whether it stands for a user and the messages to it.</param>
    public LoadRoom(int index, string name, bool messagePack, bool online = false, bool isUser = false)
    {
        Index = index;
        Name = name;
        IsUser = isUser;
        _online = online;
        Join = Request("JOIN", online);
        Leave = Request("LEAVE", online: false);

        byte[] Request(string type, bool online) =>
            isUser ? [] : messagePack ? ClientFrames.BinaryRequest(type, name, online) : ClientFrames.TextRequest(type, name, online);
    }

    public int Index { get; }

    public string Name { get; }

    /// <summary>Whether it stands for a user: its connections are members without JOIN.</summary>
    public bool IsUser { get; }

    public byte[] Join { get; }

    public byte[] Leave { get; }

    /// <summary>A JOIN that resumes, as JSON, which a server must accept from connections with MessagePack too.</summary>
    public byte[] JoinSince(Position position) => ClientFrames.Resume(Name, position.Epoch, position.Offset, _online);

    public PublishTimes Times { get; } = new();

    public MemberFaults Faults { get; } = new();

    /// <summary>A kept frame that begins with these bytes; null when there is none.</summary>
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

    /// <summary>A kept frame that begins with these bytes, or that they begin with; null when there is none.</summary>
    public RoomFrame? FindCommon(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < FramesToKeep; i++)
        {
            var frame = _frames[(_newest - i + FramesToKeep) % FramesToKeep];
            if (frame is null)
                continue;
            var common = Math.Min(frame.Bytes.Length, bytes.Length);
            if (frame.Bytes.AsSpan(0, common).SequenceEqual(bytes[..common]))
                return frame;
        }

        return null;
    }

    /// <summary>Keeps a frame and drops the oldest one.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="completion">Records the dropped frame: the time from its newest message to its last copy.</param>
    public void Keep(RoomFrame frame, Histogram completion)
    {
        foreach (var message in frame.Batch.Messages)
            Times.Add(message.Sequence, message.At);
        _newest = (_newest + 1) % FramesToKeep;
        RecordCompletion(_frames[_newest], completion);
        _frames[_newest] = frame;
    }

    /// <summary>The run is over: records the kept frames.</summary>
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

/// <summary>
/// A PUSH as it came, with its WebSocket header or its end of line, and its parsed messages. Copies that other members receive are compared with
/// it, not inflated and not parsed.
/// </summary>
internal sealed class RoomFrame(byte[] bytes, LoadRoom room, Batch batch, Deflation deflation = default, long? online = null)
{
    /// <summary>The position behind its last item that has one; null without one.</summary>
    public Position? End { get; init; }

    /// <summary>How many of its items have positions.</summary>
    public long Positioned { get; init; }

    public byte[] Bytes { get; } = bytes;

    public LoadRoom Room { get; } = room;

    public Batch Batch { get; } = batch;

    public Deflation Deflation { get; } = deflation;

    /// <summary>The number of members that it tells; null without one.</summary>
    public long? Online { get; } = online;

    /// <summary>When its last copy arrived, not counting slow readers; 0 before the first.</summary>
    public long LastSeen { get; set; }
}

/// <summary>The payload of a deflated frame before and after inflating; zeros for a plain one.</summary>
/// <param name="Deflated">Bytes on the wire.</param>
/// <param name="Inflated">Bytes after inflating.</param>
internal readonly record struct Deflation(int Deflated, int Inflated);
