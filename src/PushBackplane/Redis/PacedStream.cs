using System.Diagnostics;
using System.Net.Sockets;

namespace PushBackplane.Redis;

/// <summary>
/// A stream over a socket whose reader rests before a read that would find no data, so that one wake-up brings more. It lies below TLS:
/// when a read gets here, all received data has been decrypted. Reads belong to the connection's thread; does not own the socket.
/// </summary>
/// <param name="socket">A connected socket.</param>
/// <param name="pace">Computes the rests.</param>
/// <param name="isAwaited">Whether a caller waits for a reply: then there is no rest.</param>
/// <param name="sleep">Rests.</param>
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
