using PushBackplane.History;

namespace PushBackplane;

/// <summary>Marks what one request publishes, so that a retry of the request does not publish it again. Immutable.</summary>
/// <param name="Name">The publisher's name for the request: 1 to <see cref="MaxLength"/> ASCII characters.</param>
/// <param name="Fingerprint">Equal for equal messages to equal channels only; never for the time of publishing.</param>
public sealed record IdempotencyKey(string Name, ReadOnlyMemory<byte> Fingerprint)
{
    /// <summary>The longest name.</summary>
    public const int MaxLength = 64;

    /// <summary>
    /// How long a key is remembered after its last publish. Publishers stop retrying long before; each key uses memory until then.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(120);
}

/// <summary>How a publish with a key ended.</summary>
/// <param name="Result">What happened to the payload.</param>
/// <param name="Nodes">The number of subscribers that the payload reached, now or when it was first published.</param>
/// <param name="Cause">Why it was refused, as the end of a sentence; null when it was not.</param>
/// <param name="Last">The position behind the last message; null unless published, now or before, with history.</param>
public readonly record struct OnceOutcome(OnceResult Result, int Nodes = 0, string? Cause = null, Position? Last = null)
{
    /// <summary>The payload was published.</summary>
    public static OnceOutcome First(int nodes, Position? last = null) => new(OnceResult.First, nodes, Last: last);

    /// <summary>It had been published before.</summary>
    public static OnceOutcome Replayed(int nodes, Position? last = null) => new(OnceResult.Replayed, nodes, Last: last);
}

/// <summary>What happened to a payload with a key.</summary>
public enum OnceResult
{
    /// <summary>It was published now.</summary>
    First,

    /// <summary>It was published before with this key, and not again.</summary>
    Replayed,

    /// <summary>Not published: the key belongs to another request.</summary>
    Reused,

    /// <summary>Not published, for now: the home is unavailable, or refused for a cause that passes.</summary>
    NotSent,

    /// <summary>Not published: the home cannot publish with keys until its operator changes something.</summary>
    Unsupported,

    /// <summary>The home did not confirm in time: the payload may or may not have been published.</summary>
    NotConfirmed,
}
