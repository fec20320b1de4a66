namespace TestSupport.Clients;

/// <summary>RFC 1951 read bit by bit: slow, and independent of the library that the node uses.</summary>
/// <param name="deflated">Whole blocks.</param>
public sealed class ReferenceInflate(byte[] deflated)
{
    private static readonly int[] Lengths = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static readonly int[] LengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly int[] Order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly List<byte> _result = [];
    private int _bit;

    /// <summary>The number of blocks that were marked as the last one.</summary>
    public int FinalBlocks { get; private set; }

    /// <summary>Whether the last block was marked as such.</summary>
    public bool EndsInFinalBlock { get; private set; }

    /// <summary>Inflates a message as RFC 7692, 7.2.2 says, or one that ends in a final block without the byte that should follow it.</summary>
    /// <returns>Null if it is not deflate data.</returns>
    public static byte[]? Message(byte[] deflated)
    {
        try
        {
            return new ReferenceInflate([.. deflated, 0x00, 0x00, 0xFF, 0xFF]).Read();
        }
        catch (InvalidDataException)
        {
            // Expected of broken data; perhaps only what was added does not fit.
        }

        try
        {
            var inflate = new ReferenceInflate(deflated);
            var message = inflate.Read();
            return inflate.EndsInFinalBlock || deflated.Length == 0 ? message : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Reads whole blocks until the bytes end.</summary>
    /// <exception cref="InvalidDataException">It is not deflate data, or ends within a block.</exception>
    public byte[] Read()
    {
        while (_bit < 8 * deflated.Length)
        {
            var isFinal = Bits(1) == 1;
            switch (Bits(2))
            {
                case 0:
                    ReadStored();
                    break;
                case 1:
                    ReadCodes(Code([.. Enumerable.Range(0, 288).Select(i => i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)]), Code([.. Enumerable.Repeat(5, 32)]));
                    break;
                case 2:
                    ReadDynamic();
                    break;
                default:
                    throw new InvalidDataException("block type 3");
            }

            EndsInFinalBlock = isFinal;
            if (!isFinal)
                continue;
            FinalBlocks++;
            Align();
        }

        return [.. _result];
    }

    private void ReadStored()
    {
        Align();
        var length = Bits(16);
        Require((length ^ Bits(16)) == 0xFFFF, "length of a stored block");
        for (var i = 0; i < length; i++)
            _result.Add((byte)Bits(8));
    }

    private void ReadDynamic()
    {
        var (literals, distances, codes) = (Bits(5) + 257, Bits(5) + 1, Bits(4) + 4);
        Require(literals <= 286 && distances <= 30, "too many codes");
        var ofLengths = new int[19];
        for (var i = 0; i < codes; i++)
            ofLengths[Order[i]] = Bits(3);
        var code = Code(ofLengths, mayBeSingle: false);
        var lengths = new List<int>();
        while (lengths.Count < literals + distances)
        {
            switch (Symbol(code))
            {
                case 16:
                    Require(lengths.Count > 0, "nothing to repeat");
                    lengths.AddRange(Enumerable.Repeat(lengths[^1], 3 + Bits(2)));
                    break;
                case 17:
                    lengths.AddRange(Enumerable.Repeat(0, 3 + Bits(3)));
                    break;
                case 18:
                    lengths.AddRange(Enumerable.Repeat(0, 11 + Bits(7)));
                    break;
                case var length:
                    lengths.Add(length);
                    break;
            }
        }

        Require(lengths.Count == literals + distances && lengths[256] > 0, "code lengths");
        ReadCodes(Code([.. lengths.Take(literals)]), Code([.. lengths.Skip(literals)]));
    }

    private void ReadCodes(Dictionary<(int Length, int Code), int> literals, Dictionary<(int Length, int Code), int> distances)
    {
        while (Symbol(literals) is var symbol and not 256)
        {
            if (symbol < 256)
            {
                _result.Add((byte)symbol);
                continue;
            }

            Require(symbol < 286, "a length");
            var length = Lengths[symbol - 257] + Bits(LengthBits[symbol - 257]);
            var code = Symbol(distances);
            Require(code < 30, "a distance");
            var distance = code < 4 ? code + 1 : ((2 + code % 2) << (code / 2 - 1)) + 1 + Bits(code / 2 - 1);
            Require(distance <= _result.Count, "a distance before the start");
            for (var i = 0; i < length; i++)
                _result.Add(_result[^distance]);
        }
    }

    private int Symbol(Dictionary<(int Length, int Code), int> code)
    {
        for (int length = 1, bits = Bits(1); length < 16; length++, bits = bits << 1 | Bits(1))
        {
            if (code.TryGetValue((length, bits), out var symbol))
                return symbol;
        }

        throw new InvalidDataException("no such code");
    }

    /// <summary>RFC 1951, 3.2.2. Codes must use all bits, except that a code of at most one symbol may stand alone.</summary>
    private static Dictionary<(int Length, int Code), int> Code(int[] lengths, bool mayBeSingle = true)
    {
        var used = lengths.Where(length => length > 0).Sum(length => 1 << (15 - length));
        Require(used == 1 << 15 || (mayBeSingle && lengths.Sum() <= 1), "an incomplete code");
        var codes = new Dictionary<(int, int), int>();
        var next = 0;
        for (var length = 1; length < 16; length++, next <<= 1)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                    codes.Add((length, next++), symbol);
            }
        }

        return codes;
    }

    private int Bits(int count)
    {
        var bits = 0;
        for (var i = 0; i < count; i++, _bit++)
        {
            Require(_bit < 8 * deflated.Length, "the end within a block");
            bits |= (deflated[_bit / 8] >> _bit % 8 & 1) << i;
        }

        return bits;
    }

    private void Align() => _bit = (_bit + 7) / 8 * 8;

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new InvalidDataException(problem);
    }
}
