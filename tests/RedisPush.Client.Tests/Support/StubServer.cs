using System.Net;
using System.Net.Sockets;

namespace RedisPush.Client.Tests.Support;

/// <summary>
/// A server that says what the test wants, right or wrong. Each connection runs the test's function with its number, from 0.
/// </summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _connections = [];
    private Task _accepting = Task.CompletedTask;

    public Uri Url => new($"ws://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/ws");

    public static StubServer Start(Func<StubConnection, int, Task> serve)
    {
        var server = new StubServer();
        server._listener.Start();
        server._accepting = server.AcceptAsync(serve);
        return server;
    }

    /// <summary>A server that accepts every connection, joins every room, and then runs the test's function.</summary>
    public static StubServer StartJoining(Func<StubConnection, int, Task> serve) => Start(async (connection, number) =>
    {
        await connection.AcceptAsync();
        await connection.AnswerJoinAsync();
        await serve(connection, number);
    });

    /// <summary>Ends all connections, and fails when one of the test's functions did.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_connections);
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Func<StubConnection, int, Task> serve)
    {
        try
        {
            for (var number = 0; ; number++)
                _connections.Add(ServeAsync(new StubConnection(await _listener.AcceptTcpClientAsync(_stopping.Token), _stopping.Token), number, serve));
        }
        catch (OperationCanceledException)
        {
            // Expected: the test is over.
        }
    }

    private static async Task ServeAsync(StubConnection connection, int number, Func<StubConnection, int, Task> serve)
    {
        using (connection)
        {
            try
            {
                await serve(connection, number);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or System.Net.WebSockets.WebSocketException or ObjectDisposedException)
            {
                // Expected: the client has gone, or the test is over.
            }
        }
    }
}
