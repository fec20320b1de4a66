using System.Globalization;
using System.Text;

namespace RedisPush.Shared;

/// <summary>
/// The rule for names of rooms and users, as docs/protocol.md has it. The server has the last word; asking here gives the error earlier.
/// </summary>
internal static class TopicName
{
    private const int MaxBytes = 128;
    private const string Accepted = "a name is 1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Throws for a room's name that no server accepts.</summary>
    /// <exception cref="ArgumentException">The message says what is wrong and what is accepted.</exception>
    public static void CheckRoom(string room, string parameter) => Check("room", room, parameter);

    /// <summary>Throws for a user's name that no server accepts.</summary>
    /// <exception cref="ArgumentException">The message says what is wrong and what is accepted.</exception>
    public static void CheckUser(string user, string parameter) => Check("user", user, parameter);

    /// <summary>What is wrong with a name, as the rest of a sentence that begins with "The room"; null if nothing is.</summary>
    public static string? Problem(string name)
    {
        if (name.Length == 0)
            return "is empty";
        if (name is "." or "..")
            return $"is '{name}'";
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (c == '/')
                return "contains '/'";
            if (char.IsControl(c))
                return string.Create(CultureInfo.InvariantCulture, $"contains the control character U+{(int)c:X4}");
            if (!char.IsSurrogate(c))
                continue;
            // A lone surrogate would be replaced on its way, and the name would be another one.
            if (i + 1 == name.Length || !char.IsSurrogatePair(c, name[i + 1]))
                return "is not valid Unicode";
            i++;
        }

        var bytes = StrictUtf8.GetByteCount(name);
        return bytes > MaxBytes ? string.Create(CultureInfo.InvariantCulture, $"is {bytes} bytes long") : null;
    }

    private static void Check(string what, string name, string parameter)
    {
        ArgumentNullException.ThrowIfNull(name, parameter);
        if (Problem(name) is { } problem)
            throw new ArgumentException($"The {what} {problem}; {Accepted}.", parameter);
    }
}
