using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// One generation of the connection to Redis: made by <see cref="ConnectAsync"/>, dead at the first failure of any kind, then thrown away. The
/// multiplexer's own reconnecting is not used, because nothing would say what was lost meanwhile. Owned by <see cref="RedisBackplane"/>; any thread.
/// </summary>
internal sealed class RedisLink : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    private readonly ConnectionMultiplexer _multiplexer;
    private readonly ISubscriber _subscriber;
    // Never disposed: without a timer it holds nothing, and its token is asked for after the link is dead.
    private readonly CancellationTokenSource _closed = new();
    private string? _cause;

    private RedisLink(ConnectionMultiplexer multiplexer)
    {
        _multiplexer = multiplexer;
        _subscriber = multiplexer.GetSubscriber();
        multiplexer.ConnectionFailed += (_, failure) => Fail(RedisFailure.Describe(failure.FailureType, failure.Exception));
    }

    /// <summary>Cancelled when the link is dead.</summary>
    public CancellationToken Closed => _closed.Token;

    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Why the link is dead; null while it lives.</summary>
    public string? Cause => Volatile.Read(ref _cause);

    /// <summary>Connects. Bounded in time, also when Redis accepts the connection and then says nothing.</summary>
    /// <exception cref="RedisUnreachableException">There is no connection, for the reason it names or because of <paramref name="cancel"/>.</exception>
    public static async Task<RedisLink> ConnectAsync(ConfigurationOptions options, TimeProvider time, CancellationToken cancel)
    {
        // Twice the time-out, because the library's own (which gives the better cause) should come first.
        var limit = 2 * RedisOptions.ConnectTimeout;
        var started = time.GetTimestamp();
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        RedisLink? link = null;
        try
        {
            link = new RedisLink(await connecting.WaitAsync(limit, time, cancel));

            // ConnectAsync returns when commands can be sent; the subscriber has a socket of its own, and until that is up SubscribeAsync
            // would complete without having subscribed.
            while (!link._subscriber.IsConnected())
            {
                if (time.GetElapsedTime(started) > limit)
                    throw new TimeoutException();
                await Task.Delay(PollInterval, time, cancel);
            }

            return link;
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            if (link is not null)
                link.Dispose();
            else
                _ = DisposeLateAsync(connecting);
            throw new RedisUnreachableException(RedisFailure.Describe(e));
        }
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
            _multiplexer.Close(allowCommandsToComplete: false);
            _multiplexer.Dispose();
        });
    }

    /// <summary>
    /// Subscribes; SUBSCRIBE and UNSUBSCRIBE are sent in the order of the calls. The channel must not be subscribed yet.
    /// </summary>
    /// <param name="channel">Taken literally.</param>
    /// <param name="onPayload">
    /// Called one payload after another, in publish order. It is <c>PreserveAsyncOrder</c>, on by default in StackExchange.Redis 1.2.6, that promises this:
    /// callbacks queue behind one worker. Without it each is a thread-pool item of its own. (docs/adr/0001)
    /// </param>
    /// <returns>True when Redis has acknowledged; false when that failed, and with it the link.</returns>
    public async Task<bool> SubscribeAsync(string channel, Action<byte[]> onPayload)
    {
        var literal = Literal(channel);
        try
        {
            var acknowledged = _subscriber.SubscribeAsync(literal, (_, payload) => onPayload((byte[])payload!));
            if (_subscriber.SubscribedEndpoint(literal) is null)
            {
                // With no server to choose, 1.2.6 completes the task at once and subscribes to nothing.
                Fail("the connection was lost");
                return false;
            }

            await acknowledged;
            return true;
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Fail(RedisFailure.Describe(e));
            return false;
        }
    }

    /// <summary>Ends a subscription. Completes when Redis has acknowledged or the link is dead.</summary>
    public async Task UnsubscribeAsync(string channel)
    {
        try
        {
            await _subscriber.UnsubscribeAsync(Literal(channel)).WaitAsync(Closed);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Fail(RedisFailure.Describe(e));
        }
    }

    /// <summary>Publishes. One that waits for an answer ends with the link or after a time, since 1.2.6 has no time-out for asynchronous calls.</summary>
    /// <returns>How many subscribers it reached; null when that is not known.</returns>
    public async Task<int?> PublishAsync(string channel, byte[] payload, TimeSpan timeout, TimeProvider time)
    {
        Task<long>? answer = null;
        try
        {
            answer = _subscriber.PublishAsync(Literal(channel), payload);
            return (int)await answer.WaitAsync(timeout, time, Closed);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Observe(answer);
            return null;
        }
    }

    private static RedisChannel Literal(string channel) => new(channel, RedisChannel.PatternMode.Literal);

    /// <summary>An answer nobody waits for any more may still fail; that is not to surface as an unobserved exception.</summary>
    private static void Observe(Task? abandoned) =>
        abandoned?.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static async Task DisposeLateAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            var late = await connecting;
            await Task.Run(late.Dispose);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            // Nobody waits for this attempt any more; that it failed leaves nothing to clean up.
        }
    }
}
