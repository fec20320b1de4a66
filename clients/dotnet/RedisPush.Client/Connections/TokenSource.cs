namespace RedisPush.Client.Connections;

/// <summary>
/// The token of one client, kept from connection to connection: a storm of reconnects must not reach the issuer of tokens. Any thread.
/// </summary>
/// <param name="options">The client's.</param>
internal sealed class TokenSource(RedisPushClientOptions options)
{
    private readonly Lock _lock = new();
    private string? _token = options.Token;
    private bool _forgot;

    public bool CanRefresh => options.TokenProvider is not null;

    /// <summary>The token, asked for if there is none; null to connect without one.</summary>
    /// <exception cref="TimeoutException">The provider took too long; what it answers later is dropped.</exception>
    public async ValueTask<string?> NextAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_token is not null || !CanRefresh)
                return _token;
        }

        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            // One that ignores its cancellation must not stop the client.
            var token = await options.TokenProvider!(either.Token).AsTask().WaitAsync(either.Token).ConfigureAwait(false);
            // What a header refuses would be in its exception's text, and from there in a log.
            if (token is not null && !IsUsable(token))
                throw new InvalidOperationException("It gave a token that is empty or not printable ASCII without spaces.");
            lock (_lock)
                return _token = token;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"It gave no token in {options.ConnectTimeout}.");
        }
    }

    /// <summary>Whether a text can be a token.</summary>
    public static bool IsUsable(string token) => token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>The server accepts the token: it has sent a message.</summary>
    public void Accepted()
    {
        lock (_lock)
            _forgot = false;
    }

    /// <summary>The token expires soon: another one is due. It is not refused, and a refusal may follow if there is no other.</summary>
    public void Forget()
    {
        lock (_lock)
            _token = null;
    }

    /// <summary>The token is refused.</summary>
    /// <returns>Whether another one can be had: false without a provider, and when the last one was refused as well.</returns>
    public bool TryForget()
    {
        lock (_lock)
        {
            _token = null;
            var wasFresh = _forgot;
            _forgot = true;
            return CanRefresh && !wasFresh;
        }
    }
}
