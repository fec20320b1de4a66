namespace RedisPush.Publisher.Http;

/// <summary>
/// Sends requests to the API, and again for some time when what went wrong may pass. Any thread. Owned by one publisher, or by one
/// <see cref="FarmApi"/>.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    private readonly HttpPublisherOptions _options;
    private readonly HttpClient _http;
    private readonly bool _ownsHttp;

    /// <exception cref="ArgumentException">An option is wrong; the message says which.</exception>
    public ApiConnection(HttpPublisherOptions options, HttpClient? http)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(options));
        _options = options.Copy();
        Url = _options.Url!.AbsoluteUri.TrimEnd('/');
        _ownsHttp = http is null;
        _http = http ?? new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), AllowAutoRedirect = false })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>The API's address without a slash at its end.</summary>
    public string Url { get; }

    public string? ApiKey => _options.ApiKey;

    public bool UseIdempotencyKeys => _options.UseIdempotencyKeys;

    /// <param name="message">Makes a request; each can be sent only once.</param>
    /// <param name="read">Reads the wanted answer.</param>
    /// <param name="mayRepeat">Whether the request may be sent again when it may have been carried out.</param>
    /// <param name="severalRooms">Whether it publishes to several rooms.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async Task<Outcome<T>> SendAsync<T>(
        Func<HttpRequestMessage> message, AnswerReader<T> read, bool mayRepeat, bool severalRooms, CancellationToken cancellationToken) where T : class
    {
        var time = _options.TimeProvider;
        var started = time.GetTimestamp();
        var bound = _options.MinDelay;
        var mayBeDone = false;
        for (var number = 1; ; number++)
        {
            var attempt = await AttemptAsync(message(), read, severalRooms, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (attempt.Result is not null)
                return new Outcome<T>(attempt, attempt.Message, mayBeDone);

            mayBeDone |= attempt.MayBeDone;
            var wait = attempt.RetryAfter + (bound * Random.Shared.NextDouble());
            if (!attempt.IsPassing || (!mayRepeat && mayBeDone))
                return new Outcome<T>(attempt, attempt.Message, mayBeDone);
            if (time.GetElapsedTime(started) + wait >= _options.RetryFor)
            {
                var late = $"as the next would be later than {_options.RetryFor} after the first";
                return new Outcome<T>(attempt, $"Given up after attempt {number}, {late}. {attempt.Message}", mayBeDone);
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            bound = bound * 2 < _options.MaxDelay ? bound * 2 : _options.MaxDelay;
        }
    }

    /// <summary>Closes the connections, unless the application owns them.</summary>
    public void Dispose()
    {
        if (_ownsHttp)
            _http.Dispose();
    }

    private async Task<Attempt<T>> AttemptAsync<T>(
        HttpRequestMessage message, AnswerReader<T> read, bool severalRooms, CancellationToken cancellationToken) where T : class
    {
        using var timeout = new CancellationTokenSource(_options.AttemptTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        return await Attempt<T>.SendAsync(_http, message, read, severalRooms, _options.TimeProvider, either.Token).ConfigureAwait(false);
    }
}

/// <summary>What all attempts of a request came to.</summary>
/// <param name="Last">The last attempt.</param>
/// <param name="Message">What went wrong, for people.</param>
/// <param name="MayBeDone">Whether one of them may have been carried out.</param>
internal readonly record struct Outcome<T>(Attempt<T> Last, string Message, bool MayBeDone) where T : class;
