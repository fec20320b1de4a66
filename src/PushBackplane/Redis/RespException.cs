namespace PushBackplane.Redis;

/// <summary>What arrived is not what Redis sends to a subscriber.</summary>
internal sealed class RespException : Exception;
