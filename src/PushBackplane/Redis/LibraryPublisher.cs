using System.Net;
using System.Text;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>Publishes through StackExchange.Redis. Owned by a <see cref="RedisLink"/>; any thread.</summary>
internal sealed class LibraryPublisher : IRedisPublisher
{
    private readonly ConnectionMultiplexer _multiplexer;
    private readonly ISubscriber _subscriber;
    private readonly HashSet<string> _disabled;

    private LibraryPublisher(ConnectionMultiplexer multiplexer, EndPoint endPoint, CommandMap commands)
    {
        _multiplexer = multiplexer;
        _disabled = [.. commands.ToString().Split(',').Where(command => command.EndsWith('=')).Select(command => command.Trim('$', '='))];
        _subscriber = multiplexer.GetSubscriber();
        EndPoint = endPoint;
    }

    /// <summary>The address it publishes to, if the connection string has several.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Connects. Bounded in time, even when Redis accepts the connection and then stays silent.</summary>
    /// <inheritdoc cref="RedisLink.ConnectAsync"/>
    public static async Task<LibraryPublisher> ConnectAsync(RedisServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        // Twice the time-out, because the library's own time-out gives the better cause and should come first.
        var limit = 2 * options.ConnectTimeout;
        var began = time.GetTimestamp();
        var connecting = ConnectionMultiplexer.ConnectAsync(options.Library);
        try
        {
            var multiplexer = await connecting.WaitAsync(limit, time, cancel);
            var endPoint = await PublishedEndPointAsync(multiplexer, options.Library).WaitAsync(limit, time, cancel);
            return new LibraryPublisher(multiplexer, endPoint, options.Library.CommandMap);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            _ = DisposeLateAsync(connecting);
            // Does not ask again if the server stayed silent.
            var isRefused = e is RedisConnectionException && time.GetElapsedTime(began) < options.ConnectTimeout;
            var refusal = isRefused ? await AskAsync(options, time, cancel) : null;
            throw new RedisUnreachableException(refusal ?? RedisFailure.Describe(e));
        }
    }

    /// <summary>Reports failures of the connection that publishes. The loss of a replica has no effect.</summary>
    public void OnFailed(Action<string> fail) => _multiplexer.ConnectionFailed += (_, failure) =>
    {
        if (EndPoint.Equals(failure.EndPoint))
            fail(RedisFailure.Describe(failure.FailureType, failure.Exception));
    };

    public async Task<long> PublishAsync(string channel, byte[] payload)
    {
        try
        {
            return await _subscriber.PublishAsync(Literal(channel), payload);
        }
        catch (RedisServerException e)
        {
            throw new RedisRefusedException(RedisFailure.Describe(Encoding.UTF8.GetBytes(e.Message), "PUBLISH"));
        }
    }

    public async Task<byte[]> EvaluateAsync(RedisScript script)
    {
        // The library would break its connection.
        if (_disabled.Contains(script.Command))
            throw new RedisRefusedException($"the connection string disables {script.Command}", RefusalKind.NoCommand);

        try
        {
            // Not ScriptEvaluateAsync, which needs the right to SCRIPT LOAD too. The database as on our own connection.
            var answer = await _multiplexer.GetDatabase(0).ExecuteAsync(script.Command, [.. script.Words]);
            return (byte[])answer;
        }
        catch (RedisServerException e)
        {
            var error = Encoding.UTF8.GetBytes(e.Message);
            throw new RedisRefusedException(RedisFailure.Describe(error, script.Command), RedisFailure.KindOf(error, script.Command));
        }
    }

    /// <summary>Blocks on a stalled server.</summary>
    public void Dispose()
    {
        _multiplexer.Close(allowCommandsToComplete: false);
        _multiplexer.Dispose();
    }

    /// <summary>
    /// Asks Redis itself why it refuses: the library cannot distinguish a wrong password, an untrusted certificate and a full server.
    /// </summary>
    /// <returns>The reason; null when Redis gives none.</returns>
    private static async Task<string?> AskAsync(RedisServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        string? cause = null;
        using var connection = new RedisConnection(options, options.Library.EndPoints[0], options.PublisherName, TimeSpan.Zero, reason => cause = reason);
        try
        {
            var answered = await connection.PingAsync().WaitAsync(options.ConnectTimeout, time, cancel);
            return !answered && Volatile.Read(ref cause) is { } reason && !RedisFailure.IsSilence(reason) ? reason : null;
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            return null;
        }
    }

    /// <summary>The address the library publishes to, if the connection string has several. The link subscribes there too.</summary>
    private static async Task<EndPoint> PublishedEndPointAsync(ConnectionMultiplexer multiplexer, ConfigurationOptions options) =>
        options.EndPoints.Count == 1 ? options.EndPoints[0] : await multiplexer.GetSubscriber().IdentifyEndpointAsync(Literal("any"));

    private static RedisChannel Literal(string channel) => new(channel, RedisChannel.PatternMode.Literal);

    private static async Task DisposeLateAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            var late = await connecting;
            await Task.Run(late.Dispose);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            // Expected: the abandoned attempt failed, so there is nothing to clean up.
        }
    }
}
