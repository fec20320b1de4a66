using System.Buffers;
using PushNode.Connections;

namespace PushNode.Transport.Kestrel;

/// <summary>
/// Carries a connection over the stream of an upgraded Kestrel connection: portable, TLS included. One write is under way at a time; Kestrel's pipe takes a frame's
/// bytes when the write begins and completes it when there is room for more. Lives as long as <see cref="RunAsync"/>.
/// </summary>
/// <param name="stream">The upgraded stream.</param>
/// <param name="abort">Cuts the connection.</param>
/// <param name="gone">Cancelled when the connection is cut, by either side: from then on Kestrel swallows what is written.</param>
internal sealed class StreamWire(Stream stream, Action abort, CancellationToken gone) : IWire, IDisposable
{
    /// <summary>Bytes of one connection before others get their turn on the pool's thread.</summary>
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
            var write = stream.WriteAsync(bytes, CancellationToken.None);
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
        catch (Exception exception) when (IsGone(exception))
        {
            // Expected: the peer is gone. The reader sees it too and ends the connection.
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

    /// <summary>Reads until either side has ended the connection. An exception in handling is a bug and costs this client its connection.</summary>
    public async Task RunAsync()
    {
        var connection = _connection!;
        try
        {
            await ReadAllAsync(connection);
        }
        catch (Exception bug)
        {
            connection.Fail(bug);
        }

        try
        {
            connection.OnEnded();
        }
        catch (Exception bug)
        {
            connection.Fail(bug);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _completed.Dispose();

    private async Task ReadAllAsync(Connection connection)
    {
        while (true)
        {
            if (!connection.MayRead)
                await WhenMayReadAsync(connection);
            // An empty read waits for bytes without holding a buffer: most connections are quiet most of the time.
            var waiting = ReadAsync(Memory<byte>.Empty);
            // There is more already: others that wait for a thread come first.
            if (waiting.IsCompleted)
                await Task.Yield();
            if (await waiting is null || !await TryReadOnceAsync(connection))
                return;
        }
    }

    private async ValueTask<bool> TryReadOnceAsync(Connection connection)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            if (await ReadAsync(buffer.AsMemory(0, ReadSize)) is not (> 0 and var count))
                return false;
            connection.OnBytes(buffer.AsSpan(0, count));
            return true;
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
            // Set before the check, so that a thread that changes the answer in between finds it.
            Interlocked.Exchange(ref _resumed, resumed);
            if (connection.MayRead)
                return;
            using var completed = _completed.Token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), resumed);
            using var cut = gone.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), resumed);
            await resumed.Task;
        }
    }

    /// <summary>Reads once: how many bytes came, 0 at the end of the stream; null when the connection has ended otherwise.</summary>
    private async ValueTask<int?> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await stream.ReadAsync(buffer, _completed.Token);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            // Expected: the peer reset the connection, or we ended it.
            return null;
        }
    }

    private async Task AwaitWriteAsync(ValueTask write)
    {
        try
        {
            // Never at once: the writer is under the connection's gate, with the frame that it wrote still the oldest in the outbox.
            await write.AsTask().ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            // Expected: the peer is gone. The reader sees it too and ends the connection.
            return;
        }

        _writing = false;
        if (gone.IsCancellationRequested)
            return;
        try
        {
            _connection!.OnWritable();
        }
        catch (Exception bug)
        {
            // A bug: it costs this client its connection.
            _connection!.Fail(bug);
        }

        Interlocked.Exchange(ref _resumed, null)?.TrySetResult();
    }

    /// <summary>What Kestrel's stream throws when the connection has ended, by the peer or by us.</summary>
    private static bool IsGone(Exception exception) =>
        exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;
}
