using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using PushHosting.Logging;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// The limits of handshakes: of the whole node and of each address, and the connections of each address. The first thing that a request of
/// a client meets, so that a refusal costs no more than reading it. Does nothing while all are off. Lives as long as the node; any thread.
/// </summary>
internal sealed class HandshakeLimits
{
    /// <summary>
    /// Networks remembered after their last connection has left, in 8 MB at most. Each is forgotten once its burst is whole, so that many
    /// are only there during a flood from as many networks.
    /// </summary>
    private const int MostIdle = 100_000;

    /// <summary>Refused clients come back spread over this many seconds.</summary>
    private const int Spread = 5;

    private readonly ConnectionSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger<HandshakeLimits> _logger;
    private readonly LogPace _log;
    private readonly RateLimit? _nodeRate;
    private readonly AddressTable? _addresses;
    private readonly ConcurrentDictionary<Connection, ClientNetwork> _connections = new();
    private readonly Lock _lock = new();

    // The state of the node's rate; guarded by the lock.
    private long _handshakes;

    public HandshakeLimits(ConnectionSettings settings, NodeMetrics metrics, TimeProvider time, ILogger<HandshakeLimits> logger)
    {
        (_settings, _time, _logger, _log) = (settings, time, logger, new LogPace(time));
        if (settings.HandshakesPerSecond > 0)
            _nodeRate = new RateLimit(settings.HandshakesPerSecond, settings.HandshakesAtOnce, time);
        var rate = settings.HandshakesPerSecondPerAddress > 0
            ? new RateLimit(settings.HandshakesPerSecondPerAddress, settings.HandshakesAtOncePerAddress, time)
            : null;
        if (rate is not null || settings.MaxPerAddress > 0)
            _addresses = new AddressTable(settings.MaxPerAddress, rate, MostIdle);
        metrics.ShowAddresses(() => _addresses?.Count ?? 0, () => _addresses?.Forgotten ?? 0);
    }

    /// <summary>The networks whose use is remembered.</summary>
    public int Networks => _addresses?.Count ?? 0;

    /// <summary>Whether it matters where a client is.</summary>
    public bool LooksAtAddresses => _addresses is not null;

    /// <summary>Counts a handshake and, for its address, a connection.</summary>
    /// <param name="address">The client's.</param>
    /// <param name="place">Gives the connection back; null if addresses are not limited.</param>
    /// <param name="wait">If refused, how long the client should wait at least.</param>
    /// <returns>The reason if a limit is reached; then nothing is counted.</returns>
    public Refusal? TryEnter(IPAddress? address, out AddressPlace? place, out TimeSpan wait)
    {
        (place, wait) = (null, TimeSpan.Zero);
        if (_addresses is null && _nodeRate is null)
            return null;

        var now = _time.GetTimestamp();
        // Addresses first: what one of them sends above its limit does not use up the node's.
        var network = _addresses is null ? default : ClientNetwork.Of(address);
        if (_addresses?.TryEnter(network, now, out wait) is { } refusal)
            return refusal;
        if (TryTake(now))
        {
            place = _addresses is null ? null : new AddressPlace(this, network);
            return null;
        }

        // The client did nothing wrong.
        _addresses?.Leave(network, now, returnsHandshake: true);
        return Refusal.NodeRate;
    }

    /// <summary>When a refused client should try again: not before it may, and not together with all others.</summary>
    /// <returns>The value of <c>Retry-After</c>.</returns>
    public static string RetryAfter(TimeSpan wait) =>
        ((int)Math.Ceiling(wait.TotalSeconds) + Random.Shared.Next(1, Spread + 1)).ToString(CultureInfo.InvariantCulture);

    /// <summary>The sentence for a refusal.</summary>
    public string Explain(Refusal refusal) => refusal switch
    {
        Refusal.AddressFull => $"Your address has {_settings.MaxPerAddress} connections, which is the limit.",
        Refusal.AddressRate => "Your address opens connections too often.",
        _ => "The node opens as many connections as it may; try another one, or later.",
    };

    /// <summary>Tells the operator, now and then, of an address that was refused.</summary>
    public void Log(HttpContext context, Refusal refusal)
    {
        if (refusal == Refusal.NodeRate || !_log.MayLog())
            return;
        var network = ClientNetwork.Of(context.Connection.RemoteIpAddress);
        if (context.Request.Headers.ContainsKey("X-Forwarded-For"))
            _logger.ProxyRefused(network);
        else
            _logger.AddressRefused(network, refusal == Refusal.AddressFull ? "Push:Connections:MaxPerAddress" : "Push:Connections:HandshakesPerSecondPerAddress");
    }

    /// <summary>The connection owns a place until it ends.</summary>
    public void Hold(Connection connection, ClientNetwork network) => _connections[connection] = network;

    /// <summary>A connection has ended.</summary>
    public void Leave(Connection connection)
    {
        if (_addresses is not null && _connections.TryRemove(connection, out var network))
            Leave(network);
    }

    public void Leave(ClientNetwork network) => _addresses!.Leave(network, _time.GetTimestamp());

    /// <summary>Forgets what no longer matters. Called once a second.</summary>
    public void Sweep() => _addresses?.Sweep(_time.GetTimestamp());

    private bool TryTake(long now)
    {
        if (_nodeRate is null)
            return true;
        lock (_lock)
            return _nodeRate.TryTake(ref _handshakes, now);
    }
}

/// <summary>
/// A handshake's place among its address's connections: given back at the end of the handshake, unless its connection has it by then. For
/// the handshake's thread.
/// </summary>
/// <param name="limits">Counts the place.</param>
/// <param name="network">The client's.</param>
internal sealed class AddressPlace(HandshakeLimits limits, ClientNetwork network) : IDisposable
{
    private bool _isPassed;

    /// <summary>From now on the connection has it.</summary>
    public void PassTo(Connection connection)
    {
        limits.Hold(connection, network);
        _isPassed = true;
    }

    public void Dispose()
    {
        if (!_isPassed)
            limits.Leave(network);
        _isPassed = true;
    }
}
