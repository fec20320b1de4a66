using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using PushApi.Problems;

namespace PushApi.Telemetry;

/// <summary>What one key was used for, as plain numbers that <see cref="PushApiMetrics"/> reads. Any thread.</summary>
/// <param name="name">The name of the key.</param>
/// <param name="rate">Messages a second that it may publish; 0 for any number.</param>
internal sealed class KeyUse(string name, int rate)
{
    private static readonly ProblemType[] Kinds =
        [ProblemType.ForbiddenScope, ProblemType.ForbiddenRoom, ProblemType.TooManyMessages, ProblemType.RateLimited];

    private readonly FrozenDictionary<ProblemType, StrongBox<long>> _refusals = Kinds.ToFrozenDictionary(kind => kind, _ => new StrongBox<long>());
    private long _requests;
    private long _messages;
    private long _lastUse;

    /// <summary>The name of the key.</summary>
    public string Name => name;

    /// <summary>Messages a second that it may publish; 0 for any number.</summary>
    public int Rate => rate;

    /// <summary>Requests with the key.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Messages, and requests to other routes, that the key's rate let through.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>When the last request came, as Unix time in seconds; 0 if none did.</summary>
    public long LastUse => Interlocked.Read(ref _lastUse);

    /// <summary>Requests that were refused because of what the key may do, by reason.</summary>
    public IEnumerable<(string Reason, long Requests)> Refusals =>
        _refusals.Select(refusal => (refusal.Key.Reason, Interlocked.Read(ref refusal.Value.Value)));

    public void Count(DateTimeOffset now)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Exchange(ref _lastUse, now.ToUnixTimeSeconds());
    }

    public void CountMessages(long messages) => Interlocked.Add(ref _messages, messages);

    public void CountRefusal(ProblemType kind) => Interlocked.Increment(ref _refusals[kind].Value);
}

/// <summary>Why a request has no valid key (push_api_unauthorized_total).</summary>
internal enum KeyFault
{
    /// <summary>It presents none.</summary>
    Missing,

    /// <summary>What it presents cannot be a key, or it presents several.</summary>
    Malformed,

    /// <summary>No setting has the key's hash.</summary>
    Unknown,
}
