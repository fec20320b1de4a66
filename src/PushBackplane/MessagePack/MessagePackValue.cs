namespace PushBackplane.MessagePack;

/// <summary>The types of MessagePack values, whatever the format in which a writer has put them.</summary>
public enum MessagePackType : byte
{
    /// <summary>No value.</summary>
    Nil,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>An integer of at least 0.</summary>
    UnsignedInteger,

    /// <summary>An integer below 0.</summary>
    NegativeInteger,

    /// <summary>A float of 32 or 64 bits.</summary>
    FloatingPoint,

    /// <summary>Text, which should be UTF-8.</summary>
    Text,

    /// <summary>Bytes.</summary>
    Binary,

    /// <summary>A header: the elements follow.</summary>
    Array,

    /// <summary>A header: the pairs follow, the key of each before its value.</summary>
    Map,

    /// <summary>Bytes of a type that the application defines.</summary>
    Extension,
}

/// <summary>One value without its nested values, as <see cref="MessagePackReader.TryRead"/> finds it.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Bits">
/// A boolean as 0 or 1, an integer in two's complement, a float as the bits of a double, or the number of an array's elements or of a map's
/// pairs.
/// </param>
/// <param name="Start">The position of the bytes of a text, binary or extension.</param>
/// <param name="Length">The number of these bytes.</param>
public readonly record struct MessagePackValue(MessagePackType Type, ulong Bits, int Start = 0, int Length = 0)
{
    /// <summary>The number of values that belong to it and follow it.</summary>
    public ulong Nested => Type switch
    {
        MessagePackType.Array => Bits,
        MessagePackType.Map => 2 * Bits,
        _ => 0,
    };

    /// <summary>The value of a float.</summary>
    public double FloatingPoint => BitConverter.UInt64BitsToDouble(Bits);
}
