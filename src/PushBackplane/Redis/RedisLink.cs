namespace PushBackplane.Redis;

/// <summary>
/// One connection to a Redis server, in two parts: StackExchange.Redis publishes (where it can), and a <see cref="RedisConnection"/>
/// subscribes. Made by <see cref="ConnectAsync"/>, closed at the first failure of either part, and then replaced. The library's own
/// reconnecting is not used, because it does not report what was lost meanwhile. Owned by <see cref="RedisServer"/>; any thread.
/// </summary>
internal sealed class RedisLink : IDisposable
{
    private readonly IRedisPublisher _publisher;
    // Never disposed: without a timer it holds no resource, and its token is used after the link is closed.
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _opened;
    private string? _cause;

    private RedisLink(RedisServerOptions options, LibraryPublisher? library, TimeSpan gather)
    {
        var endPoint = library?.EndPoint ?? options.Library.EndPoints[0];
        Subscriber = new RedisConnection(options, endPoint, options.SubscriberName, gather, Fail);
        _opened = Subscriber.Opened;
        if (library is not null)
        {
            library.OnFailed(Fail);
            _publisher = library;
        }
        else
        {
            var own = new RedisConnection(options, endPoint, options.PublisherName, TimeSpan.Zero, Fail);
            _opened = Task.WhenAll(_opened, own.Opened);
            _publisher = own;
        }
    }

    /// <summary>The connection that subscribes.</summary>
    public RedisConnection Subscriber { get; }

    /// <summary>Cancelled when the link is closed.</summary>
    public CancellationToken Closed => _closed.Token;

    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Why the link is closed; null while it is open.</summary>
    public string? Cause => Volatile.Read(ref _cause);

    /// <summary>Connects. Bounded in time, even when Redis accepts the connection and then stays silent.</summary>
    /// <param name="options">The server's address and credentials.</param>
    /// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="RedisUnreachableException">The attempt failed, for the cause it names, or was cancelled.</exception>
    public static async Task<RedisLink> ConnectAsync(RedisServerOptions options, TimeSpan gather, TimeProvider time, CancellationToken cancel)
    {
        var library = options.IsForLibrary ? await LibraryPublisher.ConnectAsync(options, time, cancel) : null;
        var link = new RedisLink(options, library, gather);
        try
        {
            await link._opened.WaitAsync(options.ConnectTimeout, time, cancel);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            link.Fail(RedisFailure.Describe(e));
        }

        if (link.Cause is not { } cause)
            return link;
        link.Dispose();
        throw new RedisUnreachableException(cause);
    }

    /// <summary>Closes the link. Only the first cause is kept.</summary>
    public void Fail(string cause)
    {
        // CancelAsync, because the caller may hold a lock, under which no continuation may run.
        if (Interlocked.CompareExchange(ref _cause, cause, null) is null)
            _ = _closed.CancelAsync();
    }

    /// <summary>
    /// Closes the link and frees its sockets and threads in the background, because freeing them blocks on a stalled server.
    /// </summary>
    public void Dispose()
    {
        Fail("the connection is being closed");
        _ = Task.Run(() =>
        {
            Subscriber.Dispose();
            _publisher.Dispose();
        });
    }

    /// <summary>Publishes. The wait for the reply ends with the link or at the time-out: neither publisher has a time-out of its own.</summary>
    /// <param name="channel">Taken literally.</param>
    /// <param name="payload">Must not change until Redis has confirmed.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onRefused">Called with the cause when Redis answers with an error.</param>
    /// <returns>The number of subscribers reached; null when it is not known.</returns>
    public async Task<int?> PublishAsync(string channel, byte[] payload, TimeSpan timeout, TimeProvider time, Action<string>? onRefused = null)
    {
        Task<long>? answer = null;
        try
        {
            answer = _publisher.PublishAsync(channel, payload);
            return (int)await answer.WaitAsync(timeout, time, Closed);
        }
        catch (RedisRefusedException e)
        {
            onRefused?.Invoke(e.Message);
            return null;
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Observe(answer);
            return null;
        }
    }

    /// <summary>Runs a script; bounded in time as <see cref="PublishAsync"/>.</summary>
    /// <param name="script">Its arrays must not change until Redis has answered.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="time">The clock.</param>
    public async Task<ScriptAnswer> EvaluateAsync(RedisScript script, TimeSpan timeout, TimeProvider time)
    {
        Task<byte[]>? answer = null;
        try
        {
            answer = _publisher.EvaluateAsync(script);
            return new ScriptAnswer(ScriptResult.Answered, await answer.WaitAsync(timeout, time, Closed));
        }
        catch (RedisRefusedException e)
        {
            return new ScriptAnswer(ResultOf(e.Kind), Cause: e.Message, Refusal: e.Kind);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Observe(answer);
            return new ScriptAnswer(ScriptResult.NotConfirmed);
        }
    }

    private static ScriptResult ResultOf(RefusalKind refusal) => refusal switch
    {
        RefusalKind.Passing => ScriptResult.NotRun,
        RefusalKind.HalfDone => ScriptResult.NotConfirmed,
        _ => ScriptResult.Refused,
    };

    /// <summary>Keeps the later failure of an abandoned publish from surfacing as an unobserved exception.</summary>
    private static void Observe(Task? abandoned) => abandoned?.ContinueWith(
        static task => _ = task.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}

/// <summary>Publishes for a <see cref="RedisLink"/>: StackExchange.Redis, or our own connection where that library cannot. Any thread.</summary>
internal interface IRedisPublisher : IDisposable
{
    /// <summary>Publishes. May wait forever on a stalled server.</summary>
    /// <returns>The number of subscribers reached.</returns>
    /// <exception cref="RedisRefusedException">Redis refused.</exception>
    /// <exception cref="IOException">The connection is closed. StackExchange.Redis throws its own exceptions: <see cref="RedisFailure.IsExpected"/>.</exception>
    Task<long> PublishAsync(string channel, byte[] payload);

    /// <summary>Runs a script. May wait forever on a stalled server, and fails as <see cref="PublishAsync"/>.</summary>
    /// <returns>What the script answers.</returns>
    Task<byte[]> EvaluateAsync(RedisScript script);
}
