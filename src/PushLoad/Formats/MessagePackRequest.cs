using System.Buffers.Binary;
using System.Text;

namespace PushLoad.Formats;

/// <summary>A client's request as MessagePack: <c>{"type":"JOIN","data":{"room":"demo"}}</c>.</summary>
internal static class MessagePackRequest
{
    private const byte MapOfOne = 0x81;
    private const byte MapOfTwo = 0x82;
    private const byte True = 0xC3;
    private const byte ShortText = 0xA0;
    private const byte Text8 = 0xD9;
    private const byte Text16 = 0xDA;

    public static byte[] Create(string type, string room, bool online)
    {
        byte[] head = [MapOfTwo, .. Text("type"), .. Text(type), .. Text("data"), online ? MapOfTwo : MapOfOne, .. Text("room"), .. Text(room)];
        return online ? [.. head, .. Text("online"), True] : head;
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length < 32)
            return [(byte)(ShortText | bytes.Length), .. bytes];
        if (bytes.Length <= byte.MaxValue)
            return [Text8, (byte)bytes.Length, .. bytes];
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, checked((ushort)bytes.Length));
        return [Text16, .. length, .. bytes];
    }
}
