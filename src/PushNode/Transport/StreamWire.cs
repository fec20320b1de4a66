using System.Buffers;
using PushNode.Connections;

namespace PushNode.Transport;

/// <summary>
/// Carries a connection over the stream of an upgraded Kestrel connection: portable, TLS included. One write is under way at a time; Kestrel's pipe takes a frame's
/// bytes when the write begins and completes it when there is room for more. Lives as long as <see cref="RunAsync"/>.
/// </summary>
/// <param name="stream">The upgraded stream.</param>
/// <param name="abort">Cuts the connection.</param>
/// <param name="gone">Cancelled when the connection is cut, by either side: from then on Kestrel swallows what is written.</param>
internal sealed class StreamWire(Stream stream, Action abort, CancellationToken gone) : IWire, IDisposable
{
    private const int ReadSize = 4096;

    private readonly CancellationTokenSource _completed = new();
    private Connection? _connection;
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

    /// <summary>Reads until either side has ended the connection, or until what stands behind it threw.</summary>
    public async Task RunAsync()
    {
        var connection = _connection!;
        byte[]? buffer = null;
        try
        {
            // An empty read waits for bytes without holding a buffer: most connections are quiet most of the time.
            while (await ReadAsync(Memory<byte>.Empty) is not null)
            {
                buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
                if (await ReadAsync(buffer) is not { } count || count == 0)
                    break;
                connection.OnBytes(buffer.AsSpan(0, count));
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = null;
            }
        }
        finally
        {
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer);
            connection.OnEnded();
            Dispose();
        }
    }

    public void Dispose() => _completed.Dispose();

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
        if (!gone.IsCancellationRequested)
            _connection!.OnWritable();
    }

    /// <summary>What Kestrel's stream throws when the connection has ended, by the peer or by us.</summary>
    private static bool IsGone(Exception exception) =>
        exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;
}
