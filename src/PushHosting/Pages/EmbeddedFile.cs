using System.Security.Cryptography;

namespace PushHosting.Pages;

/// <summary>A file of an <see cref="EmbeddedPage"/>.</summary>
internal sealed class EmbeddedFile
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
    };

    /// <param name="name">The file's name, whose extension gives the content type.</param>
    /// <param name="bytes">Its content.</param>
    /// <exception cref="NotSupportedException">The extension is none of a page's.</exception>
    public EmbeddedFile(string name, byte[] bytes)
    {
        Bytes = bytes;
        ContentType = Types.GetValueOrDefault(Path.GetExtension(name))
            ?? throw new NotSupportedException($"{name}: a page's files end in {string.Join(", ", Types.Keys)}.");
        ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(..16))}\"";
    }

    public byte[] Bytes { get; }

    public string ContentType { get; }

    /// <summary>Changes with the content, so that a browser shows the page of the program that runs now.</summary>
    public string ETag { get; }

    /// <summary>Reads a resource.</summary>
    /// <inheritdoc cref="EmbeddedFile(string, byte[])"/>
    public static EmbeddedFile Read(string name, Stream content)
    {
        var bytes = new byte[content.Length];
        content.ReadExactly(bytes);
        return new EmbeddedFile(name, bytes);
    }
}
