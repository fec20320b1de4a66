using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushLoad.Tests.Support;

/// <summary>
/// Answers each connection's request with prepared bytes, for a server that no framework would write. Ends all connections when disposed.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<int, IEnumerable<byte[]>> _script;
    private Task _accepting = Task.CompletedTask;

    private ScriptedServer(Func<int, IEnumerable<byte[]>> script) => _script = script;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <param name="script">What a connection gets, by its number from 0; the connection then stays open.</param>
    public static ScriptedServer Start(Func<int, IEnumerable<byte[]>> script)
    {
        var server = new ScriptedServer(script);
        server._listener.Start();
        server._accepting = server.AcceptAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Stop();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            for (var number = 0; ; number++)
                connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_end.Token), number));
        }
        catch (OperationCanceledException)
        {
            // Expected: the test is over.
        }

        await Task.WhenAll(connections);
    }

    private async Task AnswerAsync(TcpClient client, int number)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var request = new StringBuilder();
                var buffer = new byte[4096];
                while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    if (await stream.ReadAsync(buffer, _end.Token) is not (> 0 and var count))
                        return;
                    request.Append(Encoding.ASCII.GetString(buffer, 0, count));
                }

                foreach (var bytes in _script(number))
                    await stream.WriteAsync(bytes, _end.Token);
                while (await stream.ReadAsync(buffer, _end.Token) > 0)
                {
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Expected: the load generator closes without a word, or the test is over.
        }
    }
}
