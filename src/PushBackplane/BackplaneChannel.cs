namespace PushBackplane;

/// <summary>
/// A channel of one backplane, made by <see cref="IBackplane.Channel"/>, which computes name and home. Callers that use a channel again keep it.
/// </summary>
/// <param name="Name">The full name on every server, taken literally.</param>
/// <param name="Home">The server on which the channel's messages are published. It never changes while the process lives.</param>
public readonly record struct BackplaneChannel(string Name, IBackplaneServer Home);
