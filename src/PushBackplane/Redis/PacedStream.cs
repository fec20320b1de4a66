using System.Diagnostics;
using System.Net.Sockets;

namespace PushBackplane.Redis;

/// <summary>
/// A socket's stream that rests before a read that would find no data, so that one wake-up brings more messages. It lies below TLS: a read
/// gets here only when TLS has decrypted all received data. Only the connection's thread reads; does not own the socket.
/// </summary>
/// <param name="socket">A connected socket.</param>
/// <param name="pace">Computes how long to rest.</param>
/// <param name="isAwaited">Whether a caller is waiting for a reply; if so, the stream does not rest.</param>
/// <param name="sleep">Blocks for the given time.</param>
internal sealed class PacedStream(Socket socket, ReadPace pace, Func<bool> isAwaited, Action<TimeSpan> sleep) : NetworkStream(socket, ownsSocket: false)
{
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (pace.Next(Stopwatch.GetTimestamp()) is { Ticks: > 0 } rest && Socket.Available == 0 && !isAwaited())
            sleep(rest);
        var read = Socket.Receive(buffer);
        pace.Received(read);
        return read;
    }
}
