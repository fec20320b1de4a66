namespace TestSupport.Clients;

/// <summary>A response as it stood on the wire.</summary>
public sealed record RawHttpAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body);
