using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace PushLoad.Tests.Support;

/// <summary>MessagePack of a JSON text, in the shortest forms unless a seed makes them random.</summary>
internal static class MessagePackOf
{
    public static byte[] Json(string json, Random? random = null)
    {
        using var document = JsonDocument.Parse(json);
        var bytes = new List<byte>();
        Add(bytes, document.RootElement, random);
        return [.. bytes];
    }

    private static void Add(List<byte> bytes, JsonElement value, Random? random)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var members = value.EnumerateObject().ToList();
                AddHead(bytes, members.Count, 16, 0x80, [0xDE, 0xDF], [2, 4], random);
                foreach (var member in members)
                {
                    AddText(bytes, member.Name, random);
                    Add(bytes, member.Value, random);
                }

                break;
            case JsonValueKind.Array:
                AddHead(bytes, value.GetArrayLength(), 16, 0x90, [0xDC, 0xDD], [2, 4], random);
                foreach (var item in value.EnumerateArray())
                    Add(bytes, item, random);
                break;
            case JsonValueKind.String:
                AddText(bytes, value.GetString()!, random);
                break;
            case JsonValueKind.Number when value.TryGetInt64(out var number) && number < 0:
                if (number >= -32 && random?.Next(2) is null or 0)
                    bytes.Add((byte)number);
                else
                    AddInteger(bytes, 0xD0, (ulong)number, number >= sbyte.MinValue ? 0 : number >= short.MinValue ? 1 : number >= int.MinValue ? 2 : 3);
                break;
            case JsonValueKind.Number when value.TryGetUInt64(out var number):
                if (number < 128)
                    bytes.Add((byte)number);
                else
                    AddInteger(bytes, 0xCC, number, number <= byte.MaxValue ? 0 : number <= ushort.MaxValue ? 1 : number <= uint.MaxValue ? 2 : 3);
                break;
            case JsonValueKind.Number:
                AddBigEndian(bytes, 0xCB, (ulong)BitConverter.DoubleToInt64Bits(value.GetDouble()), 8);
                break;
            default:
                bytes.Add(value.ValueKind == JsonValueKind.Null ? (byte)0xC0 : value.ValueKind == JsonValueKind.True ? (byte)0xC3 : (byte)0xC2);
                break;
        }
    }

    private static void AddText(List<byte> bytes, string text, Random? random)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        AddHead(bytes, utf8.Length, 32, 0xA0, [0xD9, 0xDA, 0xDB], [1, 2, 4], random);
        bytes.AddRange(utf8);
    }

    /// <summary>The shortest head that holds the count, or sometimes a longer one.</summary>
    private static void AddHead(List<byte> bytes, int count, int limit, byte fix, byte[] codes, int[] lengths, Random? random)
    {
        var form = count < limit ? -1 : Array.FindIndex(lengths, length => count < 1L << (8 * length));
        form = random?.Next(form, codes.Length) ?? form;
        if (form < 0)
            bytes.Add((byte)(fix | count));
        else
            AddBigEndian(bytes, codes[form], (ulong)count, lengths[form]);
    }

    /// <param name="bytes">The output.</param>
    /// <param name="code">The code of the form with one byte.</param>
    /// <param name="number">Two's complement.</param>
    /// <param name="form">0 to 3: 1, 2, 4 or 8 bytes.</param>
    private static void AddInteger(List<byte> bytes, int code, ulong number, int form) => AddBigEndian(bytes, (byte)(code + form), number, 1 << form);

    private static void AddBigEndian(List<byte> bytes, byte code, ulong number, int length)
    {
        var all = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(all, number);
        bytes.Add(code);
        bytes.AddRange(all[^length..]);
    }
}
