using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>
/// The library of a farm's functions, made from push.lua: "push" with the functions "push_append" and so on, for the prefix "push:". Redis has
/// one name space for all libraries, so farms with other prefixes use other names. Immutable.
/// </summary>
internal sealed class FunctionLibrary
{
    private const string FirstLine = "#!lua name=push\n";
    private const string PrefixLine = "local prefix = 'push:'\n";
    private const string LibraryLine = "local library = 'push'\n";
    private const string FunctionsLine = "-- Functions\n";

    private readonly string _core;

    /// <param name="prefix"><see cref="BackplaneSettings.ChannelPrefix"/>.</param>
    public FunctionLibrary(string prefix)
    {
        Name = NameOf(prefix);
        var text = Resource()
            .Replace(PrefixLine, $"local prefix = '{string.Concat(prefix.Select(Escape))}'\n", StringComparison.Ordinal)
            .Replace(LibraryLine, $"local library = '{Name}'\n", StringComparison.Ordinal)[FirstLine.Length..];
        _core = text[..text.IndexOf(FunctionsLine, StringComparison.Ordinal)];
        Text = Encoding.UTF8.GetBytes($"#!lua name={Name}\n{text}");
    }

    /// <summary>The library's name, and what its functions' names begin with.</summary>
    public string Name { get; }

    /// <summary>The library's text.</summary>
    public byte[] Text { get; }

    /// <summary>One of its functions: "push_read" for "read".</summary>
    public LibraryFunction Function(string name)
    {
        var script = Encoding.UTF8.GetBytes($"{_core}return {name}(KEYS, ARGV)");
        // Redis names scripts by SHA-1, which protects nothing here.
#pragma warning disable CA5350
        var sha1 = Convert.ToHexStringLower(SHA1.HashData(script));
#pragma warning restore CA5350
        return new LibraryFunction(Encoding.ASCII.GetBytes($"{Name}_{name}"), script, Encoding.ASCII.GetBytes(sha1));
    }

    /// <summary>
    /// "push" for "push:". A prefix that is no name with a colon gets one that no other prefix has: Redis accepts letters, digits and
    /// underscores.
    /// </summary>
    private static string NameOf(string prefix)
    {
        if (prefix[^1] == ':' && prefix.Length > 1 && prefix[..^1].All(char.IsAsciiLetterOrDigit))
            return prefix[..^1];
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(prefix));
        return $"{string.Concat(prefix.Where(char.IsAsciiLetterOrDigit))}_{Convert.ToHexStringLower(hash.AsSpan(0, 4))}";
    }

    private static string Escape(char c) => char.IsAsciiLetterOrDigit(c) || c == ':' ? $"{c}" : string.Create(CultureInfo.InvariantCulture, $"\\{(int)c:000}");

    private static string Resource()
    {
        using var stream = typeof(FunctionLibrary).Assembly.GetManifestResourceStream("push.lua")
            ?? throw new InvalidOperationException("The program was built without push.lua.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>One function of a <see cref="FunctionLibrary"/>. Immutable.</summary>
/// <param name="Name">Its name on Redis.</param>
/// <param name="Script">The same as a script.</param>
/// <param name="Sha1">The script's name on Redis.</param>
internal sealed record LibraryFunction(byte[] Name, byte[] Script, byte[] Sha1);
