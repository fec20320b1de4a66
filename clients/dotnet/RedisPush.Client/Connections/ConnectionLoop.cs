using Microsoft.Extensions.Logging;
using RedisPush.Client.Protocol;
using RedisPush.Client.Rooms;
using RedisPush.Client.Sending;

namespace RedisPush.Client.Connections;

/// <summary>
/// Keeps one client connected: opens a connection, runs it to its end, waits and opens the next, until the client is disposed or the server
/// refuses it for good. One task per run; the members are its own.
/// </summary>
/// <param name="options">The client's.</param>
/// <param name="rooms">Joined on each connection.</param>
/// <param name="sends">What the application sends.</param>
/// <param name="changed">Told of each change of state.</param>
/// <param name="logger">The application's.</param>
internal sealed class ConnectionLoop(
    RedisPushClientOptions options,
    RoomTable rooms,
    SendQueue sends,
    Action<ConnectionState, ConnectionEnd?, TimeSpan?> changed,
    ILogger logger)
{
    private readonly TokenSource _tokens = new(options);
    private readonly BackOff _backOff = new(options.MinDelay, options.MaxDelay);
    private readonly string _url = options.Url!.GetLeftPart(UriPartial.Path);
    private TokenRenewal? _renewal;

    /// <summary>Runs until there is nothing more to try.</summary>
    /// <returns>Why the server refuses the client; null when it is disposed.</returns>
    public async Task<ConnectionRefusedException?> RunAsync(CancellationToken stopping)
    {
        changed(ConnectionState.Connecting, null, null);
        while (true)
        {
            var (end, lived) = await ConnectOnceAsync(stopping).ConfigureAwait(false);
            if (stopping.IsCancellationRequested)
                return null;
            if (end.IsFinal)
            {
                Log.Refused(logger, _url, end.Reason, end.Code);
                changed(ConnectionState.Disconnected, end, null);
                return new ConnectionRefusedException(end.Code, end.Reason);
            }

            var wait = _backOff.Next(end, lived);
            Log.Disconnected(logger, _url, end.Reason, end.Code, wait);
            changed(ConnectionState.Connecting, end, wait);
            await Task.Delay(wait, options.TimeProvider, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return null;
        }
    }

    /// <summary>Has the server take another token; without a connection the next one has it. Any thread.</summary>
    /// <exception cref="TokenRefusedException">The server does not take it.</exception>
    public async Task RefreshTokenAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _renewal) is { } renewal && await renewal.RenewOnceAsync(cancellationToken).ConfigureAwait(false) is { } refusal)
            throw refusal;
    }

    private async Task<(ConnectionEnd End, TimeSpan Lived)> ConnectOnceAsync(CancellationToken stopping)
    {
        var (token, failure) = await TokenAsync(stopping).ConfigureAwait(false);
        if (failure is not null)
            return (failure, TimeSpan.Zero);
        var (connection, refusal) = await Opening.OpenAsync(options, token, stopping).ConfigureAwait(false);
        if (connection is null)
            return (Judged(refusal!), TimeSpan.Zero);
        using (connection)
        {
            var opened = options.TimeProvider.GetTimestamp();
            Log.Connected(logger, _url);
            changed(ConnectionState.Connected, null, null);
            var renewal = new TokenRenewal(_tokens, connection, rooms.NextId, options, logger);
            Volatile.Write(ref _renewal, renewal);
            rooms.Opened(connection.Send, connection.Ended);
            sends.Opened(connection.Send);
            var end = await connection.RunAsync(message => Take(message, renewal), stopping).ConfigureAwait(false);
            Volatile.Write(ref _renewal, null);
            sends.Ended();
            rooms.Ended();
            await renewal.Running.ConfigureAwait(false);
            return (Judged(end), options.TimeProvider.GetElapsedTime(opened));
        }
    }

    /// <summary>A refused token is not the end if there may be a better one.</summary>
    private ConnectionEnd Judged(ConnectionEnd end) => end.IsTokenRefused && _tokens.TryForget() ? end with { IsFinal = false } : end;

    private void Take(ServerMessage message, TokenRenewal renewal)
    {
        _tokens.Accepted();
        if (!renewal.Take(message) && !sends.Take(message))
            rooms.Take(message);
    }

    private async Task<(string? Token, ConnectionEnd? Failure)> TokenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await _tokens.NextAsync(cancellationToken).ConfigureAwait(false), null);
        }
#pragma warning disable CA1031 // Whatever the application's provider throws: a failed attempt, told to the log.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!cancellationToken.IsCancellationRequested)
                Log.TokenFailed(logger, e);
            return (null, new ConnectionEnd(null, $"the token provider failed: {e.Message}"));
        }
    }
}
