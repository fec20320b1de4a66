using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>Puts the failures of StackExchange.Redis and of our own socket into words that are safe to log: never their own texts, which could quote the configuration.</summary>
internal static class RedisFailure
{
    private const string NotAccepted = "its certificate is not accepted";

    /// <summary>Whether an exception is what is thrown when Redis is at fault or the connection is being closed.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is RedisException or RedisCommandException or RespException or AuthenticationException or CryptographicException or TimeoutException or SocketException or IOException or ObjectDisposedException
            or OperationCanceledException;

    /// <summary>Describes what was thrown.</summary>
    /// <param name="exception">One that is expected.</param>
    /// <param name="isSecure">Whether it was thrown by StackExchange.Redis over a connection with TLS.</param>
    public static string Describe(Exception exception, bool isSecure = false) => exception switch
    {
        // An attempt to connect that fails over the password says so in its text alone, and over the certificate says the same.
        RedisConnectionException connection when connection.Message.Contains(nameof(ConnectionFailureType.AuthenticationFailure), StringComparison.Ordinal)
            => isSecure ? $"{NotAccepted}, or {Words(ConnectionFailureType.AuthenticationFailure)}" : Words(ConnectionFailureType.AuthenticationFailure),
        RedisConnectionException connection => Describe(connection.FailureType, connection),
        RedisServerException => "it refused a command",
        RedisCommandException => "the connection string switches a command off that is needed",
        RespException => Words(ConnectionFailureType.ProtocolFailure),
        AuthenticationException => NotAccepted,
        CryptographicException => "the client certificate cannot be read",
        TimeoutException => "it does not answer",
        SocketException or IOException => Describe(ConnectionFailureType.SocketFailure, exception),
        _ => "the connection was lost",
    };

    /// <summary>Describes what Redis answered to a subscription that it refused.</summary>
    public static string Describe(ReadOnlySpan<byte> error) => error.StartsWith("NOAUTH"u8) ? Words(ConnectionFailureType.AuthenticationFailure) : "it refused a command";

    public static string Describe(ConnectionFailureType type, Exception? exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException socket)
                return $"{Words(type)} ({socket.SocketErrorCode})";
        }

        return Words(type);
    }

    private static string Words(ConnectionFailureType type) => type switch
    {
        ConnectionFailureType.AuthenticationFailure => "it wants another password",
        ConnectionFailureType.UnableToConnect or ConnectionFailureType.UnableToResolvePhysicalConnection => "no connection can be made",
        ConnectionFailureType.ProtocolFailure => "it does not speak Redis's protocol",
        ConnectionFailureType.Loading => "it is loading its data",
        _ => "the connection was lost",
    };
}
