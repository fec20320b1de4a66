using System.Text;
using PushNode.Http;

namespace PushNode.Tests.Http;

public sealed class ChunkContentsTests
{
    [Theory]
    [InlineData(91)]
    [InlineData(92)]
    public async Task The_data_of_chunks_arrives_to_the_byte_however_the_writes_cut_them(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var expected = new StringBuilder();
        var chunks = new List<byte>();
        for (var i = 1; i <= 300; i++)
        {
            var data = string.Concat(Enumerable.Range(0, random.Next(1, 400)).Select(_ => (char)random.Next(' ', 127)));
            expected.Append(data);
            chunks.AddRange(Chunk.Write(data.Length, data, static (bytes, text) => Encoding.ASCII.GetBytes(text, bytes), isLast: i == 300));
        }

        using var body = new MemoryStream();
        await using var contents = new ChunkContents(body);
        for (var at = 0; at < chunks.Count;)
        {
            var length = Math.Min(random.Next(1, 600), chunks.Count - at);
            await contents.WriteAsync(chunks.GetRange(at, length).ToArray(), TestContext.Current.CancellationToken);
            at += length;
        }

        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(body.ToArray()));
    }
}
