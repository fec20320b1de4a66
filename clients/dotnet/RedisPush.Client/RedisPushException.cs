namespace RedisPush.Client;

/// <summary>The server has refused something, or has not confirmed it.</summary>
public abstract class RedisPushException : Exception
{
    private protected RedisPushException(string message)
        : base(message)
    {
    }
}

/// <summary>The server does not let this client into a room, or no longer.</summary>
public sealed class JoinRefusedException : RedisPushException
{
    internal JoinRefusedException(string room, string code, string message)
        : base($"The server refused room '{room}' ({code}): {message}") => (Room, Code) = (room, code);

    /// <summary>The room.</summary>
    public string Room { get; }

    /// <summary>
    /// The code of the server's ERROR: <c>room_limit</c>, <c>bad_room</c> or <c>forbidden</c>, for example; or why it has ended the membership:
    /// <c>forbidden</c> if a new token does not allow the room, <c>removed</c> if an operator took the user out of it.
    /// </summary>
    public string Code { get; }
}

/// <summary>
/// The server has closed or refused the connection, and connecting again would not help: the client is disconnected until the next
/// <see cref="RedisPushClient.ConnectAsync"/> or <see cref="RedisPushClient.JoinAsync"/>.
/// </summary>
public sealed class ConnectionRefusedException : RedisPushException
{
    internal ConnectionRefusedException(int? code, string reason)
        : base($"The server does not accept this client{(code is null ? "" : $" (close code {code})")}: {reason}") => (Code, Reason) = (code, reason);

    /// <summary>The close code; null if the server refused the handshake.</summary>
    public int? Code { get; }

    /// <summary>What the server said.</summary>
    public string Reason { get; }
}

/// <summary>The server did not take the token of <see cref="RedisPushClient.RefreshTokenAsync"/>: what the client may do is as before.</summary>
public sealed class TokenRefusedException : RedisPushException
{
    internal TokenRefusedException(string code, string message)
        : base($"The server refused the token ({code}): {message}") => Code = code;

    /// <summary>
    /// The code of the server's ERROR: <c>bad_token</c>, <c>forbidden</c> for a token of another user, or <c>auth_off</c> if the farm does not look at
    /// tokens.
    /// </summary>
    public string Code { get; }
}

/// <summary>A message was not sent, or nobody knows whether it was.</summary>
public sealed class SendException : RedisPushException
{
    internal SendException(string room, string code, string message)
        : base($"The message to room '{room}' was not confirmed ({code}): {message}") => (Room, Code) = (room, code);

    /// <summary>The room.</summary>
    public string Room { get; }

    /// <summary>One of <see cref="SendErrorCode"/>, or a code that a newer server has.</summary>
    public string Code { get; }

    /// <summary>
    /// Whether the room may have got the message nevertheless. Otherwise it has not, and the message can be sent again without becoming two.
    /// </summary>
    public bool MayBeSent => Code is SendErrorCode.NotConfirmed or SendErrorCode.Disconnected or SendErrorCode.NoAnswer;
}

/// <summary>Why a message was not confirmed. The last three come from this client, the others from the server (docs/protocol.md).</summary>
public static class SendErrorCode
{
    /// <summary>The user is muted.</summary>
    public const string Muted = "muted";

    /// <summary>The room is in slow mode, and the user's last message was too short a time ago.</summary>
    public const string SlowMode = "slow_mode";

    /// <summary>The connection, the user or the room sends more than the server allows.</summary>
    public const string SendLimited = "send_limited";

    /// <summary>The client's token does not allow to send to the room.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>Redis is away, and the room did not get the message.</summary>
    public const string NotSent = "not_sent";

    /// <summary>Redis did not confirm in time: the room may have got the message.</summary>
    public const string NotConfirmed = "not_confirmed";

    /// <summary>The message is not one that a room accepts.</summary>
    public const string BadItem = "bad_item";

    /// <summary>The connection was lost before the answer came: the room may have got the message.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>No answer came in <see cref="RedisPushClientOptions.SendTimeout"/>: the room may have got the message.</summary>
    public const string NoAnswer = "no_answer";

    /// <summary><see cref="RedisPushClientOptions.MaxWaitingSends"/> messages wait already: this one was not sent.</summary>
    public const string TooManyWaiting = "too_many_waiting";
}

/// <summary>A page of a room's history could not be read.</summary>
public sealed class HistoryException : RedisPushException
{
    internal HistoryException(string room, string code)
        : base($"The history of room '{room}' was not read ({code}).") => (Room, Code) = (room, code);

    /// <summary>The room.</summary>
    public string Room { get; }

    /// <summary>One of <see cref="HistoryErrorCode"/>, or a code that a newer server has.</summary>
    public string Code { get; }
}

/// <summary>Why a history was not read. The first three come from the server (docs/protocol.md), the others from this client.</summary>
public static class HistoryErrorCode
{
    /// <summary>The room is not joined.</summary>
    public const string NotJoined = "not_joined";

    /// <summary>The server keeps no history of the room.</summary>
    public const string NoHistory = "no_history";

    /// <summary>Redis is away.</summary>
    public const string HistoryAway = "history_away";

    /// <summary>There is no connection, or it was lost before the answer came.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>No answer came in 30 s.</summary>
    public const string NoAnswer = "no_answer";

    /// <summary>32 requests wait already.</summary>
    public const string TooManyWaiting = "too_many_waiting";

    /// <summary>The answer has no messages.</summary>
    public const string Unreadable = "unreadable";
}

/// <summary>A request was not carried out, or not yet. The client goes on by itself.</summary>
/// <param name="Room">The room of the JOIN; null for other requests.</param>
/// <param name="Code">The code of the server's ERROR: <c>backplane_away</c>, for example.</param>
/// <param name="Message">The server's words, for people.</param>
public sealed record PushError(string? Room, string Code, string Message);
