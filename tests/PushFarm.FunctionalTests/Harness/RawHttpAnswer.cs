namespace PushFarm.FunctionalTests.Harness;

/// <summary>A response as it stood on the wire.</summary>
internal sealed record RawHttpAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body);
