using System.Text;
using PushNode.MessagePack;

namespace PushNode.Tests.MessagePack;

/// <summary>Both conversions, between text and hexadecimal digits.</summary>
internal static class Converted
{
    public static byte[] ToMessagePack(string json)
    {
        // Too small, so that it must grow.
        using var packed = new ByteBuffer(1);
        JsonToMessagePack.Write(Encoding.UTF8.GetBytes(json), packed);
        return packed.Written.ToArray();
    }

    public static string ToMessagePackHex(string json) => Convert.ToHexStringLower(ToMessagePack(json));

    /// <returns>The JSON, or what is wrong.</returns>
    public static string ToJson(ReadOnlySpan<byte> message)
    {
        using var json = new ByteBuffer(1);
        return MessagePackToJson.Write(message, json) ?? Encoding.UTF8.GetString(json.Written);
    }

    public static string ToJson(string hex) => ToJson(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
}
