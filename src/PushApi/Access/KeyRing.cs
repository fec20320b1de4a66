using System.Collections.Frozen;
using System.Security.Cryptography;
using PushApi.Settings;

namespace PushApi.Access;

/// <summary>
/// The keys of <c>PushApi:Keys</c>. Finds the caller whose key a request presents, in a time that tells nothing about the keys. Immutable;
/// any thread.
/// </summary>
/// <remarks>
/// A look-up compares, and how long a comparison takes could tell how much of it was equal. So the index is not the hash but its HMAC under a
/// secret of this process: nobody can choose or predict what is compared there. What it finds, or a hash that no key has, is then compared
/// with the presented key's hash in constant time. docs/adr/0034-publisher-keys.md has the measurement.
/// </remarks>
internal sealed class KeyRing
{
    private static readonly byte[] NoHash = RandomNumberGenerator.GetBytes(ApiKeyText.HashLength);

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);
    private readonly FrozenDictionary<UInt128, (byte[] Hash, ApiCaller Caller)> _callers;

    public KeyRing(PushApiSettings settings, TimeProvider time)
    {
        var keys = settings.Keys.Select(key => (Hash: Convert.FromHexString(key.Sha256), Caller: ApiCaller.Of(key, time))).ToArray();
        _callers = keys.ToFrozenDictionary(key => IndexOf(key.Hash));
        Callers = [.. keys.Select(key => key.Caller)];
    }

    /// <summary>The callers that have a key, in the order of the settings.</summary>
    public IReadOnlyList<ApiCaller> Callers { get; }

    /// <summary>Finds the caller of a key. Null if no key has its hash.</summary>
    public ApiCaller? Find(string key)
    {
        var hash = ApiKeyText.Hash(key);
        var isIndexed = _callers.TryGetValue(IndexOf(hash), out var found);
        return CryptographicOperations.FixedTimeEquals(hash, isIndexed ? found.Hash : NoHash) ? found.Caller : null;
    }

    private UInt128 IndexOf(byte[] hash)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_secret, hash, mac);
        return BitConverter.ToUInt128(mac);
    }
}
