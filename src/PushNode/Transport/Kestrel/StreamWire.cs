using System.Buffers;
using System.Net.Sockets;
using PushNode.Connections;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Kestrel;

/// <summary>
/// Carries a connection over Kestrel's streams: portable, with or without TLS. One write is under way at a time; Kestrel's pipe copies a
/// frame's bytes when the write begins and completes the write when it has room for more. Lives as long as <see cref="RunAsync"/>.
/// </summary>
/// <param name="input">Where the client's bytes arrive; not disposed of.</param>
/// <param name="output">Takes the bytes for the client; may be the same stream.</param>
/// <param name="socket">The connection's socket; null if there is none.</param>
/// <param name="abort">Cuts the connection.</param>
/// <param name="gone">Cancelled when either side cuts the connection: from then on Kestrel discards what is written.</param>
internal sealed class StreamWire(Stream input, Stream output, Socket? socket, Action abort, CancellationToken gone) : IWire, IDisposable
{
    /// <summary>Bytes read from one connection before others get their turn on the pool's thread.</summary>
    private const int ReadSize = 1024;

    private readonly CancellationTokenSource _completed = new();
    private Connection? _connection;
    private TaskCompletionSource? _resumed;
    private volatile bool _writing;

    public int? Socket => null;

    public int TryWrite(ReadOnlyMemory<byte> bytes)
    {
        if (_writing || gone.IsCancellationRequested)
            return 0;
        try
        {
            var write = output.WriteAsync(bytes, CancellationToken.None);
            if (write.IsCompleted)
            {
                write.GetAwaiter().GetResult();
            }
            else
            {
                _writing = true;
                _ = AwaitWriteAsync(write);
            }

            return bytes.Length;
        }
        catch (Exception e) when (IsGone(e))
        {
            // Expected: the peer is gone. The reader sees that too and ends the connection.
            return 0;
        }
    }

    // Not Cancel(): its callbacks would run the reader's end under the connection's gate.
    public void Complete() => _ = _completed.CancelAsync();

    public void Abort()
    {
        abort();
        _ = _completed.CancelAsync();
    }

    public void Attach(Connection connection) => _connection = connection;

    public void LimitUnacknowledged(TimeSpan time)
    {
        if (socket is null || !OperatingSystem.IsLinux())
            return;
        try
        {
            // By the socket, not by its number, which may be another one's by now.
            socket.SetRawSocketOption(Libc.IPPROTO_TCP, Libc.TCP_USER_TIMEOUT, BitConverter.GetBytes(Descriptor.Milliseconds(time)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Expected: the peer is gone. The reader sees that too and ends the connection.
        }
    }

    /// <summary>Reads until either side ends the connection. An unhandled exception closes only this connection.</summary>
    public async Task RunAsync()
    {
        var connection = _connection!;
        var isOrderly = false;
        try
        {
            isOrderly = await ReadAllAsync(connection);
        }
        catch (Exception e)
        {
            connection.Fail(e);
        }

        try
        {
            connection.OnEnded(isOrderly);
        }
        catch (Exception e)
        {
            connection.Fail(e);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _completed.Dispose();

    /// <returns>Whether the client has ended its side in order.</returns>
    private async Task<bool> ReadAllAsync(Connection connection)
    {
        while (true)
        {
            if (!connection.MayRead)
                await WhenMayReadAsync(connection);
            // An empty read waits for bytes without holding a buffer: most connections are idle.
            var waiting = ReadAsync(Memory<byte>.Empty);
            // More bytes have already arrived, but connections that wait for a thread come first.
            if (waiting.IsCompleted)
                await Task.Yield();
            if (await waiting is null || await ReadOnceAsync(connection) is not { } count)
                return false;
            if (count == 0)
                return true;
        }
    }

    /// <inheritdoc cref="ReadAsync"/>
    private async ValueTask<int?> ReadOnceAsync(Connection connection)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            var count = await ReadAsync(buffer.AsMemory(0, ReadSize));
            if (count > 0)
                connection.OnBytes(buffer.AsSpan(0, count.Value));
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Waits until the client has taken its answers, or the connection has ended.</summary>
    private async Task WhenMayReadAsync(Connection connection)
    {
        while (!_completed.IsCancellationRequested && !gone.IsCancellationRequested)
        {
            var resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Set before the check, so that a thread that changes MayRead in between sees it.
            Interlocked.Exchange(ref _resumed, resumed);
            if (connection.MayRead)
                return;
            using var completed = _completed.Token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), resumed);
            using var cut = gone.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), resumed);
            await resumed.Task;
        }
    }

    /// <summary>
    /// Reads once. Returns the number of bytes, 0 at the end of the stream, or null if the connection ended in another way.
    /// </summary>
    private async ValueTask<int?> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await input.ReadAsync(buffer, _completed.Token);
        }
        catch (Exception e) when (IsGone(e))
        {
            // Expected: the peer reset the connection, or we ended it.
            return null;
        }
    }

    private async Task AwaitWriteAsync(ValueTask write)
    {
        try
        {
            // Never synchronously: the writer holds the connection's gate, and its frame is still the oldest in the outbox.
            await write.AsTask().ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        catch (Exception e) when (IsGone(e))
        {
            // Expected: the peer is gone. The reader sees that too and ends the connection.
            return;
        }

        _writing = false;
        if (gone.IsCancellationRequested)
            return;
        try
        {
            _connection!.OnWritable();
        }
        catch (Exception e)
        {
            // A bug: only this connection is closed.
            _connection!.Fail(e);
        }

        Interlocked.Exchange(ref _resumed, null)?.TrySetResult();
    }

    /// <summary>
    /// Whether Kestrel's stream threw because the peer, the network or this process ended the connection. Kestrel passes on the socket's
    /// exception if it is not a reset: when the kernel gives up, for example.
    /// </summary>
    private static bool IsGone(Exception e) =>
        e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;
}
