namespace PushApi.Requests;

/// <summary>The white space that may stand around a JSON value without belonging to it.</summary>
internal static class JsonSpace
{
    /// <summary>The value without the white space around it.</summary>
    public static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> json) => json.Trim(" \t\r\n"u8);
}
