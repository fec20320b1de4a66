using System.Diagnostics;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>
/// The inbound half of a <see cref="RedisConnection"/>: reads replies, passes payloads on and completes commands. Belongs to the
/// connection's thread.
/// </summary>
/// <param name="stream">Provides the replies; its reads block.</param>
/// <param name="commands">Holds the commands that wait for replies.</param>
/// <param name="pace">Notified of messages; decides how long <paramref name="stream"/> rests.</param>
internal sealed class ReplyReader(Stream stream, CommandQueue commands, ReadPace pace)
{
    private const int BufferLength = 64 * 1024;

    /// <summary>More than the longest payload of Redis (512 MB) needs.</summary>
    private const int LargestBuffer = 1 << 30;

    private readonly Dictionary<string, Action<byte[]>> _subscribers = new(StringComparer.Ordinal);
    private byte[] _buffer = new byte[BufferLength];
    private int _filled;

    /// <summary>Reads until Redis closes the connection or refuses a vital command.</summary>
    /// <returns>The cause.</returns>
    /// <exception cref="RespException">The bytes are not what Redis sends.</exception>
    public string Run()
    {
        while (true)
        {
            var read = stream.Read(_buffer, _filled, _buffer.Length - _filled);
            if (read == 0)
                return "the connection was lost";
            _filled += read;
            if (HandleReplies(out var hadMessages) is { } refusal)
                return refusal;
            if (hadMessages)
                pace.HadMessages(Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Handles the complete replies and keeps the rest.</summary>
    /// <returns>Why the connection has become useless; null if it has not.</returns>
    private string? HandleReplies(out bool hadMessages)
    {
        hadMessages = false;
        var reader = new RespReader(_buffer.AsSpan(0, _filled));
        while (reader.TryRead(out var reply))
        {
            if (reply.Kind != RespKind.Message)
            {
                if (Answer(reply) is { } refusal)
                    return refusal;
                continue;
            }

            hadMessages = true;
            if (_subscribers.TryGetValue(Encoding.UTF8.GetString(reply.Channel), out var onPayload))
                onPayload(reply.Payload.ToArray());
        }

        Keep(_buffer.AsSpan(reader.Consumed, _filled - reader.Consumed));
        return null;
    }

    /// <summary>Completes a reply's command. Adds or removes its subscriber at exactly this point between the payloads.</summary>
    private string? Answer(in RespReply reply)
    {
        var command = commands.Answered(reply);
        if (reply.Kind == RespKind.Subscribed)
            _subscribers[command.Channel!] = command.OnPayload!;
        else if (reply.Kind == RespKind.Unsubscribed)
            _subscribers.Remove(command.Channel!);

        command.Complete(reply);
        return command.Refusal is { } refusal && (command.IsVital || RedisFailure.EndsConnection(reply.Payload)) ? refusal : null;
    }

    /// <summary>Moves the incomplete reply to the front of the buffer, or of a larger one if it fills this one.</summary>
    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (rest.Length == LargestBuffer)
            throw new RespException();
        var length = rest.Length == _buffer.Length ? 2 * _buffer.Length : rest.IsEmpty ? BufferLength : _buffer.Length;
        var buffer = length == _buffer.Length ? _buffer : new byte[length];
        rest.CopyTo(buffer);
        _buffer = buffer;
        _filled = rest.Length;
    }
}
