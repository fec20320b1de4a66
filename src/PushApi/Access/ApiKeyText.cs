using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace PushApi.Access;

/// <summary>What a key looks like, and its hash.</summary>
internal static class ApiKeyText
{
    /// <summary>The longest key that a request may present: what is longer is refused without being hashed.</summary>
    public const int MaxLength = 256;

    /// <summary>The length of a hash, in bytes.</summary>
    public const int HashLength = SHA256.HashSizeInBytes;

    /// <summary>Lets scanners of repositories and logs recognise a key.</summary>
    private const string Prefix = "rpk_";

    /// <summary>Printable ASCII without the space and without the comma, with which proxies join repeated headers.</summary>
    private static readonly SearchValues<char> Accepted =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c != ',')]);

    /// <summary>Makes a key of 256 random bits.</summary>
    public static string Make() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a text could be a key.</summary>
    public static bool IsKey(ReadOnlySpan<char> text) => text.Length is > 0 and <= MaxLength && !text.ContainsAnyExcept(Accepted);

    /// <summary>
    /// The SHA-256 of a key. A slow hash, as for passwords, would protect nothing: a key has as many random bits as its hash, and verifying it
    /// must not cost the API more than it costs a stranger to send one.
    /// </summary>
    /// <param name="key">A text that <see cref="IsKey"/> accepts.</param>
    public static byte[] Hash(ReadOnlySpan<char> key)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        return SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(key, bytes)]);
    }
}
