using System.Globalization;

namespace RedisPush.Client.Connections;

/// <summary>How a connection ended, or why it did not open, and what follows from it.</summary>
/// <param name="Code">The server's close code; null if there was none.</param>
/// <param name="Reason">For people.</param>
internal sealed record ConnectionEnd(int? Code, string Reason)
{
    private const int GoingAway = 1001;
    private const int TokenRefused = 4001;
    private const int NotAllowed = 4003;
    private const int Disconnected = 4009;
    private const int TooManyMessages = 4029;

    /// <summary>The longest time to wait because a server says so: the longest that <c>Push:Drain:RetryAfter</c> can make.</summary>
    private static readonly TimeSpan LongestHint = TimeSpan.FromMinutes(15);

    /// <summary>Whether connecting again would only be refused again.</summary>
    public bool IsFinal { get; init; }

    /// <summary>Whether the token was missing, invalid or expired, so that another one may help.</summary>
    public bool IsTokenRefused { get; init; }

    /// <summary>When the server wants this client back; already different for each client. Null if it leaves that to the client.</summary>
    public TimeSpan? RetryIn { get; init; }

    /// <summary>The least time that the server asked all clients for; the client adds its own jitter.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>
    /// The server closed the connection. A decision about this client, or a bug of it, is final: the next connection would end in the same
    /// way.
    /// </summary>
    /// <param name="code">Its close code.</param>
    /// <param name="reason">Its close reason.</param>
    public static ConnectionEnd Closed(int code, string reason) => new(code, reason)
    {
        IsFinal = code is 1002 or 1003 or 1007 or 1009 or TokenRefused or NotAllowed or Disconnected,
        IsTokenRefused = code == TokenRefused,
        RetryIn = code == GoingAway ? Hint(reason) : null,
        RetryAfter = code == TooManyMessages ? TimeSpan.FromSeconds(30) : TimeSpan.Zero,
    };

    /// <summary>The server answered the handshake with a status instead of 101.</summary>
    public static ConnectionEnd Refused(int status, string? retryAfter) => new(null, $"the server answered the handshake with status {status}")
    {
        IsFinal = status is 401 or 403,
        IsTokenRefused = status == 401,
        RetryAfter = Whole(retryAfter) is { } seconds ? TimeSpan.FromSeconds(Math.Min(seconds, LongestHint.TotalSeconds)) : TimeSpan.Zero,
    };

    private static TimeSpan? Hint(string reason)
    {
        const string Prefix = "retry=";
        return reason.StartsWith(Prefix, StringComparison.Ordinal) && Whole(reason.AsSpan(Prefix.Length)) is { } milliseconds
            ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, LongestHint.TotalMilliseconds)) : null;
    }

    /// <summary>A number of digits, however many; null for anything else.</summary>
    private static double? Whole(ReadOnlySpan<char> text) =>
        !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9') ? double.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
}
