using System.Buffers;
using System.Security.Cryptography;
using PushBackplane;
using PushHosting.Settings;

namespace PushApi.Settings;

/// <summary>The keys under <c>PushApi:Keys:N</c>: one publisher's key, of which only the hash is known, and what it may do.</summary>
public sealed class ApiKeySettings : ICheckedSettings
{
    private const int MaxNameLength = 64;

    private static readonly string[] AllScopes = ["publish", "read", "admin"];

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>What metrics and logs call the key.</summary>
    public string Name { get; set; } = "";

    /// <summary>The SHA-256 of the key's text, as 64 hex digits.</summary>
    [ShownAsBeginning]
    public string Sha256 { get; set; } = "";

    /// <summary>What the key may do: <c>publish</c>, <c>read</c> and <c>admin</c>, separated by commas.</summary>
    public string Scopes { get; set; } = "publish";

    /// <summary>The rooms for which it may, separated by commas: names, or beginnings of names and <c>*</c>.</summary>
    public string Rooms { get; set; } = "*";

    /// <summary>Messages a second, counted once per room, at each process of the API; 0 for any number.</summary>
    [Number(0, 10_000_000)]
    public int Rate { get; set; }

    /// <summary>Messages at once after a pause; 0 for those of one second.</summary>
    [Number(0, 100_000_000)]
    public int Burst { get; set; }

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        if (Name.Length is 0 or > MaxNameLength || Name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            return $"{section}:Name is not a name; it accepts 1 to {MaxNameLength} letters, digits, '.', '_' and '-' of ASCII, for example billing.";
        }
        // The value is never shown: somebody may have set the key itself.
        if (Sha256.Length != 2 * SHA256.HashSizeInBytes || !Sha256.All(char.IsAsciiHexDigit))
            return $"{section}:Sha256 is not a hash; it accepts the 64 hex digits that the command 'key' prints.";
        if (Split(Scopes) is var scopes && (!scopes.All(scope => AllScopes.Contains(scope, StringComparer.OrdinalIgnoreCase)) || scopes.Distinct(StringComparer.OrdinalIgnoreCase).Count() < scopes.Length))
            return $"{section}:Scopes is '{SettingText.Clean(Scopes)}'; it accepts publish, read and admin separated by commas, each once.";
        if (!RoomPatterns.TryParseList(Rooms, out var rooms, out var error))
            return $"{section}:Rooms: {SettingText.OneLine(error)}.";
        if (rooms.IsNone)
            return $"{section}:Rooms is empty; it accepts rooms and beginnings of rooms separated by commas, for example news,shop-*.";
        return Burst > 0 && Rate == 0 ? $"{section}:Burst needs {section}:Rate, which is 0; it accepts 0, or more if there is a rate." : null;
    }

    /// <summary>Whether <see cref="Scopes"/> has a scope.</summary>
    internal bool Has(string scope) => Split(Scopes).Contains(scope, StringComparer.OrdinalIgnoreCase);

    internal RoomPatterns ParsedRooms() =>
        RoomPatterns.TryParseList(Rooms, out var rooms, out var error) ? rooms : throw new InvalidOperationException(error);

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>Enough of a hash to tell keys apart.</summary>
    private sealed class ShownAsBeginningAttribute : ShownAsAttribute
    {
        public override string Show(string value) => value[..8] + "...";
    }
}
