using System.Buffers.Text;
using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>
/// A published message: a JSON object with the run's number, the room's number, the sequence number in the room (from 1), when it was due
/// (microseconds of the monotonic clock), how long after its predecessor that was (0 if it has none), and padding up to the wanted size.
/// </summary>
/// <remarks>
/// The time is the scheduled one rather than the actual one, so a publisher that falls behind shows as latency and not as a lighter load.
/// The predecessor's time tells a receiver that has just joined whether it should have received the predecessor too.
/// </remarks>
internal readonly record struct LoadMessage(int Run, int Room, long Sequence, long At, long Since)
{
    /// <summary>The longest message without padding.</summary>
    public const int MaxUnfilled = 120;

    private const int FillOverhead = 7;

    /// <summary>Writes the message; one that is longer than the wanted size gets no padding.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> target, int size)
    {
        var at = 0;
        Put("{\"k\":"u8, Run, target, ref at);
        Put(",\"r\":"u8, Room, target, ref at);
        Put(",\"s\":"u8, Sequence, target, ref at);
        Put(",\"t\":"u8, At, target, ref at);
        Put(",\"p\":"u8, Since, target, ref at);
        var missing = size - at - 1;
        if (missing >= FillOverhead)
        {
            ",\"x\":\""u8.CopyTo(target[at..]);
            target.Slice(at + FillOverhead - 1, missing - FillOverhead).Fill((byte)'x');
            at += missing;
            target[at - 1] = (byte)'"';
        }
        else if (missing > 0)
        {
            target.Slice(at, missing).Fill((byte)' ');
            at += missing;
        }

        target[at] = (byte)'}';
        return at + 1;
    }

    /// <summary>Reads one JSON value of any kind and leaves the reader at its end.</summary>
    /// <returns>False when the value is not such a message.</returns>
    public static bool TryRead(ref Utf8JsonReader reader, out LoadMessage message)
    {
        message = default;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return false;
        }

        long run = -1, room = -1, sequence = -1, at = -1, since = -1;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan.Length == 1 ? reader.ValueSpan[0] : (byte)0;
            reader.Read();
            var number = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value) ? value : -1;
            switch (name)
            {
                case (byte)'k':
                    run = number;
                    break;
                case (byte)'r':
                    room = number;
                    break;
                case (byte)'s':
                    sequence = number;
                    break;
                case (byte)'t':
                    at = number;
                    break;
                case (byte)'p':
                    since = number;
                    break;
                default:
                    reader.Skip();
                    break;
            }

            if (number < 0)
                reader.Skip();
        }

        if (run is < 0 or > int.MaxValue || room is < 0 or > int.MaxValue || sequence < 1 || at < 0 || since < 0)
            return false;
        message = new LoadMessage((int)run, (int)room, sequence, at, since);
        return true;
    }

    private static void Put(ReadOnlySpan<byte> name, long value, Span<byte> target, ref int at)
    {
        name.CopyTo(target[at..]);
        at += name.Length;
        Utf8Formatter.TryFormat(value, target[at..], out var written);
        at += written;
    }
}
