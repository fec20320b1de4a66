using System.Net;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// One generation of the connection to Redis, which publishes by StackExchange.Redis and subscribes by a connection of its own: made by <see cref="ConnectAsync"/>,
/// dead at the first failure of either, then thrown away. The multiplexer's own reconnecting is not used, because nothing would say what was lost meanwhile. Owned
/// by <see cref="RedisBackplane"/>; any thread.
/// </summary>
internal sealed class RedisLink : IDisposable
{
    private readonly ConnectionMultiplexer _multiplexer;
    private readonly ISubscriber _publisher;
    private readonly SubscriberConnection _subscriber;
    // Never disposed: without a timer it holds nothing, and its token is asked for after the link is dead.
    private readonly CancellationTokenSource _closed = new();
    private string? _cause;

    private RedisLink(ConnectionMultiplexer multiplexer, ConfigurationOptions options, EndPoint endPoint, TimeSpan gather)
    {
        _multiplexer = multiplexer;
        _publisher = multiplexer.GetSubscriber();
        multiplexer.ConnectionFailed += (_, failure) => Fail(RedisFailure.Describe(failure.FailureType, failure.Exception));
        _subscriber = new SubscriberConnection(options, endPoint, gather, Fail);
    }

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
    public static async Task<RedisLink> ConnectAsync(ConfigurationOptions options, TimeSpan gather, TimeProvider time, CancellationToken cancel)
    {
        var link = await ConnectPublisherAsync(options, gather, time, cancel);
        try
        {
            await link._subscriber.Opened.WaitAsync(RedisOptions.ConnectTimeout, time, cancel);
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
            _subscriber.Dispose();
            _multiplexer.Close(allowCommandsToComplete: false);
            _multiplexer.Dispose();
        });
    }

    /// <inheritdoc cref="SubscriberConnection.SubscribeAsync"/>
    public Task<bool> SubscribeAsync(string channel, Action<byte[]> onPayload) => _subscriber.SubscribeAsync(channel, onPayload);

    /// <inheritdoc cref="SubscriberConnection.UnsubscribeAsync"/>
    public Task UnsubscribeAsync(string channel) => _subscriber.UnsubscribeAsync(channel);

    /// <summary>Publishes. One that waits for an answer ends with the link or after a time, since 1.2.6 has no time-out for asynchronous calls.</summary>
    /// <returns>How many subscribers it reached; null when that is not known.</returns>
    public async Task<int?> PublishAsync(string channel, byte[] payload, TimeSpan timeout, TimeProvider time)
    {
        Task<long>? answer = null;
        try
        {
            answer = _publisher.PublishAsync(Literal(channel), payload);
            return (int)await answer.WaitAsync(timeout, time, Closed);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Observe(answer);
            return null;
        }
    }

    private static async Task<RedisLink> ConnectPublisherAsync(ConfigurationOptions options, TimeSpan gather, TimeProvider time, CancellationToken cancel)
    {
        // Twice the time-out, because the library's own (which gives the better cause) should come first.
        var limit = 2 * RedisOptions.ConnectTimeout;
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            var multiplexer = await connecting.WaitAsync(limit, time, cancel);
            return new RedisLink(multiplexer, options, await PublishedEndPointAsync(multiplexer, options).WaitAsync(limit, time, cancel), gather);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            _ = DisposeLateAsync(connecting);
            throw new RedisUnreachableException(RedisFailure.Describe(e, options.Ssl));
        }
    }

    /// <summary>The server that a connection string with several addresses publishes on, which is the one to subscribe on.</summary>
    private static async Task<EndPoint> PublishedEndPointAsync(ConnectionMultiplexer multiplexer, ConfigurationOptions options) =>
        options.EndPoints.Count == 1 ? options.EndPoints[0] : await multiplexer.GetSubscriber().IdentifyEndpointAsync(Literal("any"));

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
