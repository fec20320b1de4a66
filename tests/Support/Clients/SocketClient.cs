using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace TestSupport.Clients;

/// <summary>A client's socket and the loop that reads it, which a test can pause, cut or end.</summary>
public abstract class SocketClient : IAsyncDisposable
{
    private readonly PipeReader _reader;
    private TaskCompletionSource _mayRead = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="socket">The socket, owned by the client from now on.</param>
    /// <param name="reader">Reads the socket's bytes, decrypted if they are encrypted.</param>
    protected SocketClient(Socket socket, PipeReader reader)
    {
        (Socket, _reader) = (socket, reader);
        _mayRead.SetResult();
    }

    protected Socket Socket { get; }

    /// <summary>From now on the client takes nothing off its socket.</summary>
    public void StopReading()
    {
        _mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reader.CancelPendingRead();
    }

    public void ResumeReading() => _mayRead.SetResult();

    /// <summary>Cuts the connection with an RST.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    /// <summary>Ends the client's side of the stream (FIN); it still reads.</summary>
    public void Finish() => Socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync()
    {
        _mayRead.TrySetResult();
        Socket.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes everything that is whole.</summary>
    /// <returns>The rest.</returns>
    protected abstract ValueTask<ReadOnlySequence<byte>> TakeAsync(ReadOnlySequence<byte> buffer);

    /// <summary>Reads until the stream ends.</summary>
    /// <returns>Null after an orderly end.</returns>
    protected async Task<Exception?> ReadAllAsync()
    {
        try
        {
            while (true)
            {
                await _mayRead.Task;
                var read = await _reader.ReadAsync();
                var rest = await TakeAsync(read.Buffer);
                var (isCompleted, start) = (read.IsCompleted, Convert.ToHexString(rest.Slice(0, Math.Min(32, rest.Length)).ToArray()));
                _reader.AdvanceTo(rest.Start, read.Buffer.End);
                if (isCompleted)
                    return start.Length == 0 ? null : new ProtocolViolationException($"The stream ended within a piece that begins with {start}.");
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or ProtocolViolationException)
        {
            return e;
        }
    }
}
