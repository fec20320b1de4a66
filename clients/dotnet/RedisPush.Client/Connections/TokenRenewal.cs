using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using RedisPush.Client.Protocol;

namespace RedisPush.Client.Connections;

/// <summary>
/// Gives the server another token while a connection is open: when the present one expires, and when the application asks. Made for one
/// connection; the reading loop brings the answers, any thread may ask.
/// </summary>
/// <param name="tokens">Gives the tokens.</param>
/// <param name="connection">The connection.</param>
/// <param name="nextId">A number that no request had.</param>
/// <param name="options">The client's.</param>
/// <param name="logger">The application's.</param>
internal sealed class TokenRenewal(
    TokenSource tokens, Connection connection, Func<long> nextId, RedisPushClientOptions options, ILogger logger)
{
    /// <summary>For a hostile EXPIRING, in seconds: a token that lives longer is not expiring.</summary>
    private const long LongestWait = 3600;

    private readonly CancellationToken _ended = connection.Ended;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<ServerMessage>> _asked = [];

    /// <summary>The renewal that EXPIRING began.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Takes what the server says about tokens. The reading loop only.</summary>
    /// <returns>False if the message is about something else.</returns>
    public bool Take(ServerMessage message)
    {
        switch (message.Type)
        {
            case "EXPIRING":
                if (tokens.CanRefresh && Running.IsCompleted)
                    Running = RenewAsync(message.In ?? 0);
                return true;
            case "AUTHED" or "ERROR" when message.Id is { } id && _asked.TryRemove(id, out var answer):
                answer.SetResult(message);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Asks for a token and has the server take it.</summary>
    /// <returns>Why the server refuses it; null if it has taken it, or the connection has ended, and the next one begins with it.</returns>
    /// <exception cref="TimeoutException">The provider or the server gave no answer in time.</exception>
    public async Task<TokenRefusedException?> RenewOnceAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended);
        var id = nextId();
        var answer = _asked[id] = new TaskCompletionSource<ServerMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            tokens.Forget();
            var token = await tokens.NextAsync(either.Token).ConfigureAwait(false) ?? throw new InvalidOperationException("It gave no token.");
            connection.Send(Requests.Auth(id, token));
            var message = await answer.Task.WaitAsync(options.ConnectTimeout, options.TimeProvider, either.Token).ConfigureAwait(false);
            return message.Type == "AUTHED" ? null : new TokenRefusedException(message.Code ?? "unknown", message.Text ?? "");
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>
    /// Renews the token in the first half of the time that is left: clients whose tokens were issued together do not ask for new ones together.
    /// Tries again until it succeeds or the connection ends, which the server sees to.
    /// </summary>
    private async Task RenewAsync(long seconds)
    {
        var wait = TimeSpan.FromSeconds(Math.Min(seconds, LongestWait)) / 2;
        for (var bound = options.MinDelay; await WaitedAsync(wait * Random.Shared.NextDouble()).ConfigureAwait(false);)
        {
            try
            {
                if (await RenewOnceAsync(_ended).ConfigureAwait(false) is not { } refusal)
                    return;
                Log.TokenRefused(logger, refusal.Message);
                if (refusal.Code is "auth_off" or "forbidden")
                    return; // No token of this provider will do.
            }
#pragma warning disable CA1031 // Whatever the application's provider throws: a failed attempt, told to the log.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!_ended.IsCancellationRequested)
                    Log.TokenFailed(logger, e);
            }

            (wait, bound) = (bound, bound * 2 < options.MaxDelay ? bound * 2 : options.MaxDelay);
        }
    }

    /// <returns>False if the connection has ended.</returns>
    private async Task<bool> WaitedAsync(TimeSpan wait)
    {
        await Task.Delay(wait, options.TimeProvider, _ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ended.IsCancellationRequested;
    }
}
