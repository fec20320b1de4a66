namespace PushBackplane.Redis;

/// <summary>
/// One generation of the connection to Redis, which publishes by StackExchange.Redis (where that can) and subscribes by a connection of its own: made by
/// <see cref="ConnectAsync"/>, dead at the first failure of either, then thrown away. The multiplexer's own reconnecting is not used, because nothing would say what was
/// lost meanwhile. Owned by <see cref="RedisServer"/>; any thread.
/// </summary>
internal sealed class RedisLink : IDisposable
{
    private readonly IRedisPublisher _publisher;
    // Never disposed: without a timer it holds nothing, and its token is asked for after the link is dead.
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

    /// <summary>Cancelled when the link is dead.</summary>
    public CancellationToken Closed => _closed.Token;

    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Why the link is dead; null while it lives.</summary>
    public string? Cause => Volatile.Read(ref _cause);

    /// <summary>Connects. Bounded in time, also when Redis accepts the connection and then says nothing.</summary>
    /// <param name="options">Where to, and how.</param>
    /// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
    /// <param name="time">Where time comes from.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RedisUnreachableException">There is no connection, for the reason it names or because of <paramref name="cancel"/>.</exception>
    public static async Task<RedisLink> ConnectAsync(RedisServerOptions options, TimeSpan gather, TimeProvider time, CancellationToken cancel)
    {
        var link = new RedisLink(options, options.IsForLibrary ? await LibraryPublisher.ConnectAsync(options, time, cancel) : null, gather);
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

    /// <summary>Declares the link dead; the first cause counts.</summary>
    public void Fail(string cause)
    {
        if (Interlocked.CompareExchange(ref _cause, cause, null) is null)
            // Not Cancel: who fails the link may hold a lock, and what waits for it must not run under it.
            _ = _closed.CancelAsync();
    }

    /// <summary>Declares the link dead and gives its sockets and threads back in the background: on a stalled server that blocks.</summary>
    public void Dispose()
    {
        Fail("the connection is being closed");
        _ = Task.Run(() =>
        {
            Subscriber.Dispose();
            _publisher.Dispose();
        });
    }

    /// <summary>Publishes. One that waits for an answer ends with the link or after a time: neither publisher has a time-out of its own.</summary>
    /// <param name="channel">Taken literally.</param>
    /// <param name="payload">Must not change until Redis has confirmed.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="time">Where time comes from.</param>
    /// <param name="onRefused">Told why when Redis answers with an error.</param>
    /// <returns>How many subscribers it reached; null when that is not known.</returns>
    public async Task<int?> PublishAsync(string channel, byte[] payload, TimeSpan timeout, TimeProvider time, Action<string>? onRefused = null)
    {
        Task<long>? answer = null;
        try
        {
            answer = _publisher.PublishAsync(channel, payload);
            return (int)await answer.WaitAsync(timeout, time, Closed);
        }
        catch (RedisRefusedException refused)
        {
            onRefused?.Invoke(refused.Message);
            return null;
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Observe(answer);
            return null;
        }
    }

    /// <summary>An answer nobody waits for any more may still fail; that is not to surface as an unobserved exception.</summary>
    private static void Observe(Task? abandoned) =>
        abandoned?.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
