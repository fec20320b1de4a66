using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Publishing;

/// <summary>The schedule of one room's messages, with a record of which were confirmed. Owned by a lane; one thread at a time.</summary>
/// <param name="run">The run's number.</param>
/// <param name="room">The room's number.</param>
/// <param name="first">When its first message is due.</param>
/// <param name="microsecondsApart">Time between its messages, on average; at least 1.</param>
/// <param name="size">Bytes of each.</param>
/// <param name="burst">How many are due at once.</param>
internal sealed class RoomStream(int run, int room, long first, double microsecondsApart, int size, int burst = 1)
{
    private readonly List<long> _unconfirmed = [];
    private long _next;
    private long _lastConfirmed;

    public long Sent => _next;

    public long Unconfirmed { get; private set; }

    public long NextDue => DueAt(_next);

    /// <summary>Takes the messages that are due.</summary>
    public List<ReadOnlyMemory<byte>> TakeDue(long now, int atMost)
    {
        var messages = new List<ReadOnlyMemory<byte>>();
        for (; messages.Count < atMost && NextDue <= now; _next++)
        {
            var buffer = new byte[Math.Max(size, LoadMessage.MaxUnfilled)];
            var message = new LoadMessage(run, room, _next + 1, NextDue, _next == 0 ? 0 : NextDue - DueAt(_next - 1));
            messages.Add(buffer.AsMemory(0, message.Write(buffer, size)));
        }

        return messages;
    }

    /// <summary>Records how many of the messages taken last were confirmed.</summary>
    public void Answered(int taken, int confirmed)
    {
        var before = _next - taken;
        if (confirmed > 0)
            _lastConfirmed = before + confirmed;
        if (confirmed == taken)
            return;
        Unconfirmed += taken - confirmed;
        _unconfirmed.AddRange([before + confirmed + 1, _next]);
    }

    public Expectation Expectation() => new(_lastConfirmed, _lastConfirmed == 0 ? 0 : DueAt(_lastConfirmed - 1), [.. _unconfirmed]);

    private long DueAt(long index) => first + (long)(index / burst * burst * microsecondsApart);
}
