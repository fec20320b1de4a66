using System.Net.WebSockets;
using Microsoft.Extensions.Options;
using RedisPush.Client.Connections;

namespace RedisPush.Client;

/// <summary>How a <see cref="RedisPushClient"/> connects. It copies them when it is made.</summary>
public sealed class RedisPushClientOptions
{
    /// <summary>Where clients connect: <c>ws://localhost:7777/ws</c>, or <c>wss://</c>. Required.</summary>
    public Uri? Url { get; set; }

    /// <summary>
    /// The token to connect with, for a client that has one for its whole life. When it expires, the client is refused for good; with a
    /// <see cref="TokenProvider"/> it goes on.
    /// </summary>
    public string? Token { get; set; }

    /// <summary>
    /// Gives the token to connect with. Asked for the first one, and for another when the server says that the present one expires or has
    /// expired; in between the client keeps it, so that a storm of reconnects does not reach the issuer of tokens. An answer of null
    /// connects without one. An exception counts as a failed attempt, and is followed by another one.
    /// </summary>
    public Func<CancellationToken, ValueTask<string?>>? TokenProvider { get; set; }

    /// <summary>
    /// Whether to offer permessage-deflate for what the server sends: less traffic for more CPU. The client sends its few requests plain.
    /// Off by default, because most .NET clients run near the server.
    /// </summary>
    public bool Compression { get; set; }

    /// <summary>How long one attempt to connect may take, and <see cref="TokenProvider"/> before it: 10 s by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>After this much silence of the server the client sends a PING: 20 s by default.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Without a sign of life in this time after a PING the client connects again: 10 s by default.</summary>
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The first wait before a reconnect is random, up to this: 1 s by default. The bound doubles with each failure.</summary>
    public TimeSpan MinDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>What that bound grows to: 30 s by default. A time that the server asks for may be longer.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The longest message to take from the server: 4 MiB by default. A server sends at most four times its <c>Push:Merge:MaxBatchBytes</c>
    /// and 1,024 bytes (1,049,600 by default). The client drops the connection on a longer one.
    /// </summary>
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// How many events wait for the reader of one subscription: 10,000 by default. Beyond that the oldest give way to a <see
    /// cref="PushGap"/>.
    /// </summary>
    public int MaxBufferedEvents { get; set; } = 10_000;

    /// <summary>
    /// How many bytes wait for the reader of one subscription: 8 MiB by default. Beyond that the oldest give way to a <see
    /// cref="PushGap"/>.
    /// </summary>
    public long MaxBufferedBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// The longest request to send: 4,096 bytes by default, as in the farm (<c>Push:Connections:MaxMessageBytes</c>). A server closes the connection on
    /// a longer one, so <see cref="RedisPushClient.SendAsync"/> refuses it.
    /// </summary>
    public int MaxRequestBytes { get; set; } = 4096;

    /// <summary>How many messages of <see cref="RedisPushClient.SendAsync"/> wait for their turn: 1,000 by default.</summary>
    public int MaxWaitingSends { get; set; } = 1000;

    /// <summary>
    /// Without an answer in this time, nobody knows whether a message was sent: 10 s by default. The server confirms within a few seconds, or says
    /// that it cannot.
    /// </summary>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Sets what else a connection needs: headers, a proxy, certificates. Called before each attempt.</summary>
    public Action<ClientWebSocketOptions>? ConfigureWebSocket { get; set; }

    /// <summary>The clock; the system's by default.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The first thing that is wrong, as one sentence that names the option; null if nothing is.</summary>
    internal string? Problem()
    {
        if (Url is not { IsAbsoluteUri: true, Scheme: "ws" or "wss", Fragment: "" })
            return $"{nameof(Url)} must be an absolute ws:// or wss:// URL without a fragment, ws://localhost:7777/ws for example; it is '{Url}'.";
        return NotBetween(nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(10))
            ?? NotBetween(nameof(PingInterval), PingInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1))
            ?? NotBetween(nameof(PingTimeout), PingTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1))
            ?? NotBetween(nameof(MinDelay), MinDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10))
            ?? NotBetween(nameof(MaxDelay), MaxDelay, MinDelay, TimeSpan.FromHours(1))
            ?? NotBetween(nameof(MaxMessageBytes), MaxMessageBytes, 1024, 1 << 30)
            ?? NotBetween(nameof(MaxBufferedEvents), MaxBufferedEvents, 1, 100_000_000)
            ?? NotBetween(nameof(MaxBufferedBytes), MaxBufferedBytes, 1024, 1L << 40)
            ?? NotBetween(nameof(MaxRequestBytes), MaxRequestBytes, 128, 1 << 30)
            ?? NotBetween(nameof(MaxWaitingSends), MaxWaitingSends, 0, 100_000_000)
            ?? NotBetween(nameof(SendTimeout), SendTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1))
            ?? (Token is not null && !TokenSource.IsUsable(Token) ? $"{nameof(Token)} must be printable ASCII without spaces." : null)
            ?? (Token is not null && TokenProvider is not null ? $"{nameof(Token)} and {nameof(TokenProvider)} cannot both be set." : null)
            ?? (TimeProvider is null ? $"{nameof(TimeProvider)} must not be null." : null);
    }

    internal RedisPushClientOptions Copy() => (RedisPushClientOptions)MemberwiseClone();

    private static string? NotBetween<T>(string name, T value, T least, T most) where T : IComparable<T> =>
        value.CompareTo(least) < 0 || value.CompareTo(most) > 0 ? $"{name} must be between {least} and {most}; it is {value}." : null;
}

/// <summary>Checks the options of a container's client before it is made.</summary>
internal sealed class RedisPushClientOptionsCheck : IValidateOptions<RedisPushClientOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisPushClientOptions options) =>
        options.Problem() is { } problem ? ValidateOptionsResult.Fail($"RedisPush client: {problem}") : ValidateOptionsResult.Success;
}
