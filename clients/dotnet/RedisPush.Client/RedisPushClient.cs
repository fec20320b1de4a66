using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RedisPush.Client.Connections;
using RedisPush.Client.Rooms;
using RedisPush.Client.Sending;
using RedisPush.Shared;

namespace RedisPush.Client;

/// <summary>
/// One connection to a RedisPush farm, and its rooms. It connects when it is first used, reconnects by itself and joins its rooms again: those with
/// history continue where they were; what is missing is a <see cref="PushGap"/>. Any thread may use it. It lives until it is disposed.
/// </summary>
public sealed partial class RedisPushClient : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly RedisPushClientOptions _options;
    private readonly ILogger _logger;
    private readonly RoomTable _rooms;
    private readonly SendQueue _sends;
    private readonly CancellationTokenSource _stopping = new();
    private ConnectionLoop? _loop;
    private Task? _running;
    private TaskCompletionSource _connected = NewSource();
    private ConnectionState _state;
    private bool _disposed;

    /// <summary>A client of the farm at a URL, with the default options.</summary>
    /// <exception cref="ArgumentException">It is not a ws:// or wss:// URL.</exception>
    public RedisPushClient(Uri url)
        : this(new RedisPushClientOptions { Url = url })
    {
    }

    /// <summary>A client that does nothing yet.</summary>
    /// <param name="options">Copied; later changes have no effect.</param>
    /// <param name="logger">Gets what happens to the connection.</param>
    /// <exception cref="ArgumentException">An option is wrong; the message says which.</exception>
    public RedisPushClient(RedisPushClientOptions options, ILogger<RedisPushClient>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(options));
        _options = options.Copy();
        _logger = logger ?? NullLogger<RedisPushClient>.Instance;
        _rooms = new RoomTable(_options, error => Tell(nameof(ErrorReceived), () => ErrorReceived?.Invoke(error)));
        _sends = new SendQueue(_options, _rooms.NextId);
    }

    /// <summary>
    /// Told of each change of <see cref="State"/> and each failed attempt, in order, on the client's thread: a handler must not block it.
    /// </summary>
    public event Action<ConnectionStateChange>? StateChanged;

    /// <summary>
    /// Told when the server did not carry out a request, or not yet, on the client's thread: a handler must not block it.
    /// </summary>
    public event Action<PushError>? ErrorReceived;

    /// <summary>Whether the client is connected at this moment.</summary>
    public ConnectionState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>Connects, if the client is not connected, and waits until it is. Joining a room does it as well.</summary>
    /// <exception cref="ConnectionRefusedException">The server does not accept this client.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed, or was while it connected.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            StartLocked();
            return _connected.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Joins a room and waits until the server has confirmed it: messages that are published from then on arrive. While the server or its
    /// Redis is away it waits as long as <paramref name="cancellationToken"/> allows. A room may be joined several times; each subscription
    /// gets every message.
    /// </summary>
    /// <param name="room">1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'.</param>
    /// <param name="options">Where to begin.</param>
    /// <param name="cancellationToken">Gives up; the room is then not joined.</param>
    /// <exception cref="ArgumentException">No server accepts the name.</exception>
    /// <exception cref="JoinRefusedException">The server refuses the room: <c>room_limit</c>, for example.</exception>
    /// <exception cref="ConnectionRefusedException">The server does not accept this client.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed, or was while it waited.</exception>
    public async Task<PushSubscription> JoinAsync(string room, JoinOptions? options = null, CancellationToken cancellationToken = default)
    {
        TopicName.CheckRoom(room, nameof(room));
        ArgumentOutOfRangeException.ThrowIfNegative(options?.Last ?? 0, nameof(options));
        if (options?.Since is { IsValid: false })
            throw new ArgumentException("No server gives such a position as Since is.", nameof(options));
        cancellationToken.ThrowIfCancellationRequested();
        PushSubscription subscription;
        Task joined;
        lock (_lock)
        {
            StartLocked();
            (subscription, joined) = _rooms.Add(room, options);
        }

        try
        {
            await joined.WaitAsync(cancellationToken).ConfigureAwait(false);
            return subscription;
        }
        catch
        {
            // Refused, given up or disposed: the caller gets no subscription that it could dispose.
            await subscription.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Subscribes to the broadcasts to all clients, from the next connection on, or from now on if there is one.</summary>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public PushSubscription SubscribeBroadcasts()
    {
        lock (_lock)
        {
            StartLocked();
            return _rooms.AddBroadcasts();
        }
    }

    /// <summary>
    /// Subscribes to the messages to the user of the client's token, from the next connection on, or from now on if there is one. A client without a
    /// token, or with one that names no user, gets none.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public PushSubscription SubscribeUserMessages()
    {
        lock (_lock)
        {
            StartLocked();
            return _rooms.AddUser();
        }
    }

    /// <summary>Closes the connection in an orderly way and ends every subscription.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? running;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            running = _running;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        if (running is not null)
            await running.ConfigureAwait(false);
        _rooms.Close();
        _sends.Fail(new ObjectDisposedException(nameof(RedisPushClient)));
        lock (_lock)
            FailLocked(new ObjectDisposedException(nameof(RedisPushClient)));
        Change(ConnectionState.Disconnected, null, null);
        _stopping.Dispose();
    }

    private void StartLocked()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_running is not null)
            return;
        var loop = _loop = new ConnectionLoop(_options, _rooms, _sends, Change, _logger);
        _running = Task.Run(() => RunAsync(loop));
    }

    private async Task RunAsync(ConnectionLoop loop)
    {
        Exception? failure;
        try
        {
            failure = await loop.RunAsync(_stopping.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A bug: readers and joiners get the exception instead of waiting for a client that has ended.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.Failed(_logger, e);
            Change(ConnectionState.Disconnected, new ConnectionEnd(null, e.Message), null);
            failure = e;
        }

        if (failure is null)
            return;
        lock (_lock)
        {
            // The next use of the client begins anew.
            _running = null;
            _rooms.Ended();
            _rooms.Fail(failure);
            _sends.Ended();
            _sends.Fail(failure);
            FailLocked(failure);
        }
    }

    private void FailLocked(Exception failure)
    {
        if (_connected.TrySetException(failure))
            _ = _connected.Task.Exception; // Nobody need wait for it.
        _connected = NewSource();
    }

    private void Change(ConnectionState state, ConnectionEnd? end, TimeSpan? retryIn)
    {
        ConnectionState previous;
        lock (_lock)
        {
            (previous, _state) = (_state, state);
            if (state == ConnectionState.Connected)
                _connected.TrySetResult();
            else if (_connected.Task.IsCompletedSuccessfully)
                _connected = NewSource();
        }

        if (previous != state || end is not null)
        {
            var change = new ConnectionStateChange(state, previous) { Code = end?.Code, Reason = end?.Reason, RetryIn = retryIn };
            Tell(nameof(StateChanged), () => StateChanged?.Invoke(change));
        }
    }

    private void Tell(string @event, Action handlers)
    {
        try
        {
            handlers();
        }
#pragma warning disable CA1031 // Whatever the application's handler throws: a bug of its own, which must not end the connection.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.HandlerFailed(_logger, @event, e);
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
