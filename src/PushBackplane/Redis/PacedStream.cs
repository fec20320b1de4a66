using System.Diagnostics;
using System.Net.Sockets;

namespace PushBackplane.Redis;

/// <summary>
/// A stream over a socket whose reader rests before a read that would find nothing, so that more comes with one wake-up. It lies below TLS: a read that gets here means
/// that nothing of what was received is left to decrypt. Reads belong to the connection's thread; does not own the socket.
/// </summary>
/// <param name="socket">A connected one.</param>
/// <param name="pace">How long to rest.</param>
/// <param name="isAwaited">Whether somebody waits for an answer: then there is no rest.</param>
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
