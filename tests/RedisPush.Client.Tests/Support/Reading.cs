using System.Globalization;

namespace RedisPush.Client.Tests.Support;

/// <summary>Reads a subscription event by event.</summary>
internal sealed class Reading(PushSubscription subscription) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<PushEvent> _events = subscription.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();

    /// <summary>The next event; null at the end.</summary>
    public async Task<PushEvent?> NextAsync() =>
        await Eventually.CompletesAsync(_events.MoveNextAsync().AsTask(), $"an event of {subscription.Room ?? "the broadcasts"}") ? _events.Current : null;

    /// <summary>The next event, which must be a message.</summary>
    public async Task<string> MessageAsync() => Assert.IsType<PushMessage>(await NextAsync()).ToString();

    /// <summary>The next event, which must be a gap.</summary>
    public async Task<(long? Missed, string Reason)> GapAsync()
    {
        var gap = Assert.IsType<PushGap>(await NextAsync());
        return (gap.Missed, gap.Reason);
    }

    /// <summary>The next events as text: "5", "slow 3 e1.0-e1.3".</summary>
    public async Task<string> NextAsync(int count)
    {
        var said = new List<string>();
        while (said.Count < count)
        {
            var next = await NextAsync();
            said.Add(next is PushGap gap ? $"{gap.Reason} {gap.Missed?.ToString(CultureInfo.InvariantCulture) ?? "?"} {gap.From}-{gap.To}" : $"{next}");
        }

        return string.Join(" | ", said);
    }

    public ValueTask DisposeAsync() => _events.DisposeAsync();
}

/// <summary>Clients as the tests want them.</summary>
internal static class Clients
{
    /// <summary>A client that reconnects within milliseconds.</summary>
    public static RedisPushClientOptions Options(Uri url) => new()
    {
        Url = url,
        MinDelay = TimeSpan.FromMilliseconds(5),
        MaxDelay = TimeSpan.FromMilliseconds(50),
        PingInterval = TimeSpan.FromMilliseconds(300),
        PingTimeout = TimeSpan.FromSeconds(20),
        // A busy machine delays a connection and an answer, and ends neither.
        ConnectTimeout = Eventually.Patience,
        SendTimeout = Eventually.Patience,
    };

    public static RedisPushClient Of(Uri url, Action<RedisPushClientOptions>? configure = null)
    {
        var options = Options(url);
        configure?.Invoke(options);
        return new RedisPushClient(options);
    }

    /// <summary>A task that completes with the first change of state that the condition accepts.</summary>
    public static Task<ConnectionStateChange> WhenAsync(this RedisPushClient client, Func<ConnectionStateChange, bool> condition)
    {
        var seen = new TaskCompletionSource<ConnectionStateChange>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.StateChanged += change =>
        {
            if (condition(change))
                seen.TrySetResult(change);
        };
        return seen.Task;
    }

    /// <summary>Joins with the patience of a test.</summary>
    public static Task<PushSubscription> JoinedAsync(this RedisPushClient client, string room, JoinOptions? options = null) =>
        Eventually.CompletesAsync(client.JoinAsync(room, options, TestContext.Current.CancellationToken), $"JOINED of {room}");
}
