using System.Buffers.Text;
using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>
/// A published message: a JSON object with the run's number, the room's number, the sequence number in the room (from 1), when it was due
/// (microseconds of the monotonic clock), how long after its predecessor that was (0 if it has none), and padding up to the wanted size.
/// </summary>
/// <remarks>
/// The padding follows from the five numbers, so that a receiver sees a change of any of them, and of the padding.
/// The time is the scheduled one rather than the actual one, so a publisher that falls behind shows as latency and not as a lighter load.
/// The predecessor's time tells a receiver that has just joined whether it should have received the predecessor too.
/// </remarks>
internal readonly record struct LoadMessage(int Run, int Room, long Sequence, long At, long Since)
{
    /// <summary>The longest message without padding.</summary>
    public const int MaxUnfilled = 120;

    private const int PaddingOverhead = 7;

    private static ReadOnlySpan<byte> PaddingStart => ",\"x\":\""u8;

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
        if (missing >= PaddingOverhead)
        {
            PaddingStart.CopyTo(target[at..]);
            Padding.Fill(target.Slice(at + PaddingOverhead - 1, missing - PaddingOverhead), GetSeed());
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

    /// <summary>Reads one JSON value of any kind.</summary>
    /// <param name="reader">At the value; afterwards at its end.</param>
    /// <param name="message">The message.</param>
    /// <param name="padding">Its padding; empty without any.</param>
    /// <returns>False when the value is not such a message.</returns>
    public static bool TryRead(ref Utf8JsonReader reader, out LoadMessage message, out ReadOnlySpan<byte> padding)
    {
        message = default;
        padding = default;
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
                case (byte)'x' when reader.TokenType == JsonTokenType.String:
                    padding = reader.ValueSpan;
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

    /// <summary>Whether the message was published with this padding.</summary>
    /// <param name="padding">What arrived.</param>
    /// <param name="size">The size with which it was published.</param>
    public bool HasPadding(ReadOnlySpan<byte> padding, int size)
    {
        var numbers = (stackalloc byte[MaxUnfilled]);
        var length = Math.Max(0, size - Write(numbers, 0) - PaddingOverhead);
        return padding.Length == length && Padding.IsFilled(padding, GetSeed());
    }

    private ulong GetSeed()
    {
        var seed = (ulong)Run;
        foreach (var number in (ReadOnlySpan<long>)[Room, Sequence, At, Since])
            seed = (seed * 0x9E3779B97F4A7C15) + (ulong)number;
        return seed;
    }

    private static void Put(ReadOnlySpan<byte> name, long value, Span<byte> target, ref int at)
    {
        name.CopyTo(target[at..]);
        at += name.Length;
        Utf8Formatter.TryFormat(value, target[at..], out var written);
        at += written;
    }
}
