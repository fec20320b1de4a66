using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// Describes the failures of StackExchange.Redis and of our own socket in words that are safe to log. Never repeats an exception's own
/// text, which could quote the configuration.
/// </summary>
internal static class RedisFailure
{
    private const string Lost = "the connection was lost";
    private const string NoConnection = "it cannot be reached";
    private const string NoAnswer = "it does not answer";

    private static readonly byte[][] PassingCodes =
    [
        "OOM "u8.ToArray(), "READONLY "u8.ToArray(), "LOADING "u8.ToArray(), "BUSY "u8.ToArray(), "MISCONF "u8.ToArray(),
        "NOREPLICAS "u8.ToArray(), "MASTERDOWN "u8.ToArray(), "TRYAGAIN "u8.ToArray(),
    ];

    /// <summary>The cause when a link's canary does not come back.</summary>
    public const string Stalled = "it has stopped answering";

    /// <summary>Whether an exception means that Redis failed or the connection is being closed. Any other exception is a bug.</summary>
    public static bool IsExpected(Exception e) =>
        e is RedisException or RedisCommandException or RespException or RedisUnreachableException or RedisRefusedException
            or AuthenticationException or CryptographicException or TimeoutException
            or SocketException or IOException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Whether a cause says only that Redis does not answer.</summary>
    public static bool IsSilence(string cause) =>
        cause is NoAnswer or Stalled || cause.StartsWith(Lost, StringComparison.Ordinal) || cause.StartsWith(NoConnection, StringComparison.Ordinal);

    /// <summary>Describes an expected exception.</summary>
    public static string Describe(Exception e) => e switch
    {
        RedisUnreachableException or RedisRefusedException => e.Message,
        // When Redis refuses the password or the certificate during connect, only the exception's text says so, and it is the same for
        // both.
        RedisConnectionException connection when connection.Message.Contains(nameof(ConnectionFailureType.AuthenticationFailure), StringComparison.Ordinal)
            => Words(ConnectionFailureType.AuthenticationFailure),
        RedisConnectionException connection => Describe(connection.FailureType, connection),
        RedisServerException => "it refused a command",
        RedisCommandException => "the connection string disables a command that is needed",
        RespException => Words(ConnectionFailureType.ProtocolFailure),
        AuthenticationException => "the TLS handshake failed",
        CryptographicException => "the client certificate cannot be read",
        TimeoutException => NoAnswer,
        SocketException or IOException => Describe(ConnectionFailureType.SocketFailure, e),
        _ => Lost,
    };

    /// <summary>Describes an error reply.</summary>
    /// <param name="error">Its text, without the minus sign.</param>
    /// <param name="command">The command that it answers.</param>
    public static string Describe(ReadOnlySpan<byte> error, string command)
    {
        if (error.StartsWith("NOAUTH"u8))
            return "it requires a password (NOAUTH)";
        if (IsWrongPassword(error))
            return "it does not accept the user or the password (WRONGPASS)";
        // Redis 6, 7.0 and later versions word it differently.
        if (error.IndexOf("user executing the script"u8) >= 0 || error.IndexOf("ACL failure in script"u8) >= 0)
            return $"its ACL forbids the user a command, key or channel that the script of {command} needs";
        if (error.StartsWith("NOPERM"u8))
        {
            return error.IndexOf("channel"u8) >= 0 ? $"its ACL forbids the user a channel that {command} needs (NOPERM)"
                : error.IndexOf("one of the keys"u8) >= 0 || error.EndsWith(" key"u8) ? $"its ACL forbids the user a key that {command} needs (NOPERM)"
                : $"its ACL forbids the user {command} (NOPERM)";
        }

        return IsFull(error) ? "it has reached its maximum number of clients (maxclients)" : $"it refused {command}{Code(error)}";
    }

    /// <summary>
    /// Whether the cause of an error reply to a command that writes may pass without anybody's doing: a full, starting, stalled or failing
    /// over server. Before Redis 7 the code of an error in a script stands within its text.
    /// </summary>
    public static bool IsPassing(ReadOnlySpan<byte> error)
    {
        foreach (var code in PassingCodes)
        {
            if (error.IndexOf(code) >= 0)
                return true;
        }

        return false;
    }

    /// <summary>The kind of an error reply.</summary>
    /// <param name="error">Its text, without the minus sign.</param>
    /// <param name="command">The command that it answers.</param>
    public static RefusalKind KindOf(ReadOnlySpan<byte> error, string command)
    {
        if (error.StartsWith("NOSCRIPT"u8) || error.StartsWith("ERR Function not found"u8))
            return RefusalKind.NotLoaded;
        if (error.StartsWith("UNPUBLISHED"u8))
            return RefusalKind.HalfDone;
        if (error.StartsWith("ERR unknown command"u8)
            || (error.StartsWith("NOPERM"u8) && Encoding.UTF8.GetString(error).Contains($"'{command}", StringComparison.OrdinalIgnoreCase)))
        {
            return RefusalKind.NoCommand;
        }

        return IsPassing(error) ? RefusalKind.Passing : RefusalKind.Lasting;
    }

    /// <summary>Whether an error reply makes the connection useless, whatever the command.</summary>
    public static bool EndsConnection(ReadOnlySpan<byte> error) => error.StartsWith("NOAUTH"u8) || IsWrongPassword(error) || IsFull(error);

    public static string Describe(ConnectionFailureType type, Exception? exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException socket)
                return $"{Words(type)} ({socket.SocketErrorCode})";
        }

        return Words(type);
    }

    private static bool IsWrongPassword(ReadOnlySpan<byte> error) => error.StartsWith("WRONGPASS"u8) || error.StartsWith("ERR invalid password"u8);

    private static bool IsFull(ReadOnlySpan<byte> error) => error.StartsWith("ERR max number of clients reached"u8);

    /// <summary>The error's first word if that is a code like "LOADING"; the rest could quote anything.</summary>
    private static string Code(ReadOnlySpan<byte> error)
    {
        var code = error[..Math.Max(error.IndexOf((byte)' '), 0)];
        return code.Length is > 0 and < 20 && code.IndexOfAnyExceptInRange((byte)'A', (byte)'Z') < 0 ? $" ({Encoding.ASCII.GetString(code)})" : "";
    }

    private static string Words(ConnectionFailureType type) => type switch
    {
        ConnectionFailureType.AuthenticationFailure => "it does not accept the user, the password or TLS",
        ConnectionFailureType.UnableToConnect or ConnectionFailureType.UnableToResolvePhysicalConnection => NoConnection,
        ConnectionFailureType.ProtocolFailure => "it does not speak Redis's protocol",
        ConnectionFailureType.Loading => "it is loading its data",
        _ => Lost,
    };
}

/// <summary>An attempt to connect failed. The message says why and, unlike the library's own, is safe to log.</summary>
internal sealed class RedisUnreachableException(string cause) : Exception(cause);

/// <summary>Redis answered a command with an error. The message says which and is safe to log.</summary>
internal sealed class RedisRefusedException(string cause, RefusalKind kind = RefusalKind.Lasting) : Exception(cause)
{
    /// <summary>What kind of cause it is.</summary>
    public RefusalKind Kind => kind;
}

/// <summary>Why Redis refuses a command, as far as it matters for what to do next.</summary>
internal enum RefusalKind
{
    /// <summary>Somebody has to change something.</summary>
    Lasting,

    /// <summary>It may pass without anybody's doing.</summary>
    Passing,

    /// <summary>Redis does not have the command, or the user may not use it.</summary>
    NoCommand,

    /// <summary>Redis does not have the function or the script; it can be loaded.</summary>
    NotLoaded,

    /// <summary>The function had kept something before it failed.</summary>
    HalfDone,
}
