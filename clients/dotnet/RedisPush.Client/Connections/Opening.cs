using System.Net.WebSockets;

namespace RedisPush.Client.Connections;

/// <summary>Opens one connection.</summary>
internal static class Opening
{
    /// <summary>Connects, with a token if there is one.</summary>
    /// <returns>An open connection, or why there is none.</returns>
    public static async Task<(Connection? Connection, ConnectionEnd? Failure)> OpenAsync(
        RedisPushClientOptions options, string? token, CancellationToken stopping)
    {
        var socket = new ClientWebSocket();
        try
        {
            // PINGs of the protocol tell whether the server is alive; pings of the WebSocket would only be more.
            socket.Options.KeepAliveInterval = TimeSpan.Zero;
            socket.Options.CollectHttpResponseDetails = true;
            if (options.Compression)
                socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions { ClientContextTakeover = false, ServerContextTakeover = false };
            // Not in the URL, which proxies log.
            if (token is not null)
                socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            options.ConfigureWebSocket?.Invoke(socket.Options);

            using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
            await socket.ConnectAsync(options.Url!, either.Token).ConfigureAwait(false);
            return (new Connection(socket, options), null);
        }
#pragma warning disable CA1031 // A failed attempt, whatever it is: the server is away, slow or refuses, or the application's configuration threw.
        catch (Exception e)
#pragma warning restore CA1031
        {
            using (socket)
                return (null, Failure(socket, e));
        }
    }

    private static ConnectionEnd Failure(ClientWebSocket socket, Exception exception)
    {
        var status = (int)socket.HttpStatusCode;
        if (status is 0 or 101)
        {
            var late = exception is OperationCanceledException;
            return new ConnectionEnd(null, late ? "the server did not answer the handshake in time" : exception.GetBaseException().Message);
        }

        IEnumerable<string>? values = null;
        socket.HttpResponseHeaders?.TryGetValue("Retry-After", out values);
        return ConnectionEnd.Refused(status, values?.FirstOrDefault());
    }
}
