using System.Collections.Concurrent;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>A subscriber connection that records why it closed. Any thread.</summary>
internal sealed class TestSubscriber : IDisposable
{
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _causes = new();

    /// <summary>Begins to connect.</summary>
    /// <param name="connectionString">Names one server.</param>
    /// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
    public TestSubscriber(string connectionString, TimeSpan gather = default)
    {
        var options = RedisOptions.Parse("ConnectionStrings:Redis", connectionString);
        Connection = new RedisConnection(options, options.Library.EndPoints[0], options.PublisherName, gather, cause =>
        {
            _causes.Enqueue(cause);
            _closed.TrySetResult(cause);
        });
    }

    public RedisConnection Connection { get; }

    /// <summary>Every cause that was reported.</summary>
    public IEnumerable<string> Causes => _causes;

    /// <summary>Waits until the connection is closed.</summary>
    /// <returns>The cause.</returns>
    public Task<string> CauseAsync() => InTimeAsync(_closed.Task);

    /// <inheritdoc cref="RedisConnection.SubscribeAsync"/>
    public Task<bool> SubscribeAsync(string channel, Action<byte[]>? onPayload = null) => InTimeAsync(Connection.SubscribeAsync(channel, onPayload ?? (_ => { })));

    /// <inheritdoc cref="RedisConnection.UnsubscribeAsync"/>
    public Task<bool> UnsubscribeAsync(string channel) => InTimeAsync(Connection.UnsubscribeAsync(channel));

    /// <summary>Waits with a limit: a missing reply fails the test instead of hanging it.</summary>
    public static Task<T> InTimeAsync<T>(Task<T> task) => task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

    /// <inheritdoc cref="InTimeAsync{T}(Task{T})"/>
    public static Task InTimeAsync(Task task) => task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

    public void Dispose() => Connection.Dispose();
}
