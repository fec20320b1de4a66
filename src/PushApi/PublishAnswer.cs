namespace PushApi;

/// <summary>The body of a 202.</summary>
/// <param name="Accepted">Messages times rooms.</param>
/// <param name="Nodes">How many subscribers the backplane reached (nodes, not viewers); for several rooms the least.</param>
internal sealed record PublishAnswer(int Accepted, int Nodes);
