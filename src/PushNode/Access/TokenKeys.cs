using PushNode.Settings;

namespace PushNode.Access;

/// <summary>
/// The keys in use: those of the settings, and those of the key set, which <see cref="JwksRefresh"/> replaces. Lives as long as the node;
/// any thread.
/// </summary>
internal sealed class TokenKeys
{
    private readonly TokenKey[] _configured;
    private volatile TokenKey[] _all;
    private volatile bool _isComplete;

    /// <param name="configured">The keys of the settings.</param>
    /// <param name="hasKeySet">Whether a key set is configured.</param>
    public TokenKeys(TokenKey[] configured, bool hasKeySet) => (_configured, _all, _isComplete) = (configured, configured, !hasKeySet);

    /// <summary>Called when a token needs a key that is not there, and the key set may have it by now. Does not wait.</summary>
    public Action? Missed { get; set; }

    /// <summary>The number of keys.</summary>
    public int Count => _all.Length;

    /// <summary>Whether every key is known that there should be: false until the key set was read for the first time.</summary>
    public bool IsComplete => _isComplete;

    /// <summary>The keys at this moment; never changed.</summary>
    public ReadOnlySpan<TokenKey> All => _all;

    /// <summary>Takes the keys of the key set in place of those that it had before.</summary>
    public void Replace(IEnumerable<TokenKey> keySet)
    {
        _all = [.. _configured, .. keySet];
        _isComplete = true;
    }

    /// <summary>Whether a token with this header may be signed with the key. Either side may leave the id open.</summary>
    public static bool Matches(TokenKey key, TokenAlgorithm algorithm, string? id) =>
        key.Algorithm == algorithm && (key.Id is null || id is null || key.Id == id);
}
