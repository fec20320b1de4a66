using System.Globalization;
using RedisPush.Publisher;
using StackExchange.Redis;
using TestSupport.Processes;

namespace RedisPush.Client.Tests.Support;

/// <summary>Publishes 0, 1, 2... to a room, straight to Redis or by the API, until it is disposed.</summary>
internal sealed class NumberPublisher : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _connection;
    private readonly Task _publishing;
    private int _next;

    private NumberPublisher(IDisposable connection, IRedisPushPublisher publisher, string room)
    {
        _connection = connection;
        _publishing = PublishAsync(publisher, room);
    }

    /// <summary>The number that comes next.</summary>
    public int Next => Volatile.Read(ref _next);

    public static async Task<NumberPublisher> StartAsync(RedisProcess redis, string room)
    {
        var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.EndPoint},connectTimeout=60000");
        return new(connection, new RedisPublisher((channel, payload, _) => connection.GetSubscriber().PublishAsync(channel, payload.ToArray())), room);
    }

    /// <summary>By the API, which numbers the messages of rooms with history.</summary>
    public static NumberPublisher Start(Uri api, string room)
    {
        var publisher = new HttpPublisher(new HttpPublisherOptions { Url = api, RetryFor = TimeSpan.FromSeconds(100) });
        return new(publisher, publisher, room);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _publishing;
        _connection.Dispose();
        _stopping.Dispose();
    }

    private async Task PublishAsync(IRedisPushPublisher publisher, string room)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await publisher.PublishAsync(room, PushItem.Json(_next.ToString(CultureInfo.InvariantCulture)));
            Volatile.Write(ref _next, _next + 1);
            await Task.Delay(Pace, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
