using System.Net.Sockets;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>Puts StackExchange.Redis's failures into words that are safe to log: never its own texts, which could quote the configuration.</summary>
internal static class RedisFailure
{
    /// <summary>Whether an exception is what StackExchange.Redis throws when Redis is at fault or the connection is being closed.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is RedisException or RedisCommandException or TimeoutException or SocketException or IOException or ObjectDisposedException or OperationCanceledException;

    public static string Describe(Exception exception) => exception switch
    {
        // An attempt to connect that fails over the password says so in its text alone.
        RedisConnectionException connection when connection.Message.Contains(nameof(ConnectionFailureType.AuthenticationFailure), StringComparison.Ordinal)
            => Words(ConnectionFailureType.AuthenticationFailure),
        RedisConnectionException connection => Describe(connection.FailureType, connection),
        RedisServerException => "it refused a command",
        RedisCommandException => "the connection string switches a command off that is needed",
        TimeoutException => "it does not answer",
        _ => "the connection was lost",
    };

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
