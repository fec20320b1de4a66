namespace TestSupport.Clients;

/// <summary>The server sent what RFC 6455 or docs/protocol.md does not allow.</summary>
public sealed class ProtocolViolationException(string message) : Exception(message);
