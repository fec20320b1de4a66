using RedisPush.Client.Connections;
using RedisPush.Client.Sending;
using RedisPush.Shared;

namespace RedisPush.Client;

/// <content>What the application asks the server for, beside rooms.</content>
public sealed partial class RedisPushClient
{
    /// <summary>
    /// Sends a message to a room, which its token must allow, and waits until the server has confirmed it: its members get
    /// <c>{"from":"alice","item":...}</c>. Eight messages are on their way at a time; more wait for their turn, and all wait for a connection, as long
    /// as <paramref name="cancellationToken"/> allows. The client need not be in the room.
    /// </summary>
    /// <param name="room">1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'.</param>
    /// <param name="json">One JSON value of at most 64 levels in UTF-8; it reaches the room byte for byte.</param>
    /// <param name="cancellationToken">Gives up; the message may or may not be sent.</param>
    /// <exception cref="ArgumentException">
    /// No server accepts the name, it is not one JSON value, or it is longer than <see cref="RedisPushClientOptions.MaxRequestBytes"/> allows.
    /// </exception>
    /// <exception cref="SendException">The server refused the message, or nobody knows whether it was sent.</exception>
    /// <exception cref="ConnectionRefusedException">The server does not accept this client.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed, or was while the message waited.</exception>
    public async Task SendAsync(string room, ReadOnlyMemory<byte> json, CancellationToken cancellationToken = default)
    {
        TopicName.CheckRoom(room, nameof(room));
        var item = JsonItem.Check(json.Span, nameof(json)).ToArray();
        cancellationToken.ThrowIfCancellationRequested();
        PendingSend pending;
        lock (_lock)
        {
            StartLocked();
            pending = _sends.Add(room, item);
        }

        try
        {
            await pending.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _sends.Withdraw(pending);
        }
    }

    /// <summary>
    /// Reads a page of a room's history, the oldest message first. The room must be joined. One page is read at a time; more requests wait for their turn.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="since">The position that the page follows; null for the oldest message that is kept.</param>
    /// <param name="limit">The largest number of messages; null for the server's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The position or the limit cannot be.</exception>
    /// <exception cref="HistoryException">The server refused, or there is no connection: nothing waits for one here.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async Task<PushHistory> ReadHistoryAsync(string room, PushPosition? since = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        TopicName.CheckRoom(room, nameof(room));
        if (since is { IsValid: false })
            throw new ArgumentException("No server gives such a position.", nameof(since));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit ?? 1, nameof(limit));
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
            ObjectDisposedException.ThrowIf(_disposed, this);
        return await _rooms.ReadHistory(room, since, limit).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks <see cref="RedisPushClientOptions.TokenProvider"/> for another token and gives it to the server, for a user who has logged in or may do more
    /// than before. The connection and the rooms stay, but for those that the new token does not allow. Without a connection it does nothing: the next
    /// one asks for a token.
    /// </summary>
    /// <exception cref="InvalidOperationException">The client has no token provider, or it gave no token.</exception>
    /// <exception cref="TokenRefusedException">The server does not take the token.</exception>
    /// <exception cref="TimeoutException">The provider or the server gave no answer in time.</exception>
    public Task RefreshTokenAsync(CancellationToken cancellationToken = default)
    {
        ConnectionLoop? loop;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_options.TokenProvider is null)
                throw new InvalidOperationException($"The client has no {nameof(RedisPushClientOptions.TokenProvider)}.");
            loop = _running is null ? null : _loop;
        }

        return loop?.RefreshTokenAsync(cancellationToken) ?? Task.CompletedTask;
    }
}
