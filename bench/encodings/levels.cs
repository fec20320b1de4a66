#:property PublishAot=false
// Bytes and microseconds of each level of deflate as the node uses it (.NET's zlib-ng):
//   node bench/encodings/corpus.mjs chats --count 100 --batches 40 | dotnet run bench/encodings/levels.cs
// Reads one payload a line. The time is the mean of each payload's least time, on one core. Prints Markdown.
using System.Diagnostics;
using System.IO.Compression;
using System.Text;

const int WarmUp = 5, Rounds = 20;
var payloads = Console.In.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.UTF8.GetBytes).ToArray();
var plain = payloads.Average(payload => payload.Length);
Console.WriteLine($"{payloads.Length} payloads of {plain:N0} bytes.\n\n| level | bytes | ratio | us |\n| ---: | ---: | ---: | ---: |");
for (var level = 1; level <= 9; level++)
{
    var results = payloads.Select(payload => Measure(payload, level)).ToArray();
    var bytes = results.Average(result => result.Bytes);
    Console.WriteLine($"| {level} | {bytes:N0} | {bytes / plain:F3} | {results.Average(result => result.Least):F0} |");
}

static (long Bytes, double Least) Measure(byte[] payload, int level)
{
    var (bytes, least) = (0L, double.MaxValue);
    for (var round = 0; round < WarmUp + Rounds; round++)
    {
        var target = new MemoryStream(payload.Length);
        var begin = Stopwatch.GetTimestamp();
        using (var deflater = new DeflateStream(target, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true))
        {
            deflater.Write(payload);
            deflater.Flush();
            // Without the four bytes that RFC 7692 leaves out.
            bytes = target.Length - 4;
        }

        if (round >= WarmUp)
            least = Math.Min(least, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
    }

    return (bytes, least);
}
