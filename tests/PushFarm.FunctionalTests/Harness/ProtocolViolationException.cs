namespace PushFarm.FunctionalTests.Harness;

/// <summary>The server sent what RFC 6455 or docs/protocol.md does not allow.</summary>
internal sealed class ProtocolViolationException(string message) : Exception(message);
