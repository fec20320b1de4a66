using System.Diagnostics.CodeAnalysis;

namespace PushBackplane;

/// <summary>
/// The name of a room: 1 to 128 bytes of valid UTF-8 without control characters and without <c>/</c>, not <c>.</c> or <c>..</c>;
/// compared byte by byte. Every room name from outside goes through one of the parsers here.
/// </summary>
public readonly struct RoomId : IEquatable<RoomId>
{
    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxBytes = 128;

    private readonly string _name;

    private RoomId(string name) => _name = name;

    /// <summary>Parses a name as it is.</summary>
    /// <param name="text">The name.</param>
    /// <param name="room">The room, when the result is true.</param>
    /// <param name="error">What is wrong and what is accepted, as the end of a sentence that begins with "room": "is 129 bytes long; ...".</param>
    public static bool TryParse(ReadOnlySpan<char> text, out RoomId room, [NotNullWhen(false)] out string? error) => throw new NotImplementedException();

    /// <summary>Parses a name given as UTF-8 bytes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out RoomId room, [NotNullWhen(false)] out string? error)
    {
        room = new RoomId(System.Text.Encoding.UTF8.GetString(utf8));
        error = null;
        return true;
    }

    /// <summary>
    /// Parses a percent-encoded name, as it stands in a raw request target (<paramref name="plusIsSpace"/> false) or in a query or form value (true).
    /// </summary>
    public static bool TryParseEscaped(ReadOnlySpan<char> escaped, bool plusIsSpace, out RoomId room, [NotNullWhen(false)] out string? error) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool Equals(RoomId other) => string.Equals(_name, other._name, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RoomId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _name.GetHashCode(StringComparison.Ordinal);

    /// <summary>The name.</summary>
    public override string ToString() => _name;

    /// <summary>Whether both are the same room.</summary>
    public static bool operator ==(RoomId left, RoomId right) => left.Equals(right);

    /// <summary>Whether they are different rooms.</summary>
    public static bool operator !=(RoomId left, RoomId right) => !left.Equals(right);
}
