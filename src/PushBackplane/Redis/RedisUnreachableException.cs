namespace PushBackplane.Redis;

/// <summary>An attempt to connect has failed; the message says why and is safe to log, which the library's own is not.</summary>
internal sealed class RedisUnreachableException(string cause) : Exception(cause);
