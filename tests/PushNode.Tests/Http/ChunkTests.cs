using System.Text;
using PushNode.Http;
using TestSupport.Clients;

namespace PushNode.Tests.Http;

public sealed class ChunkTests
{
    [Theory]
    [InlineData(1, "1")]
    [InlineData(15, "f")]
    [InlineData(16, "10")]
    [InlineData(1_048_576, "100000")]
    public void A_chunk_has_its_size_in_hexadecimal_and_a_line_end_on_both_sides_of_its_data(int length, string size)
    {
        var chunk = Chunk.Write(length, 0, static (data, _) => data.Fill((byte)'x'));
        Assert.Equal($"{size}\r\n{new string('x', length)}\r\n", Encoding.ASCII.GetString(chunk));
    }

    [Fact]
    public void The_last_chunk_ends_the_response()
    {
        var chunk = Chunk.Write(2, 0, static (data, _) => data.Fill((byte)'x'), isLast: true);
        Assert.Equal("2\r\nxx\r\n0\r\n\r\n", Encoding.ASCII.GetString(chunk));
        Assert.Equal(["xx"], HttpChunks.ReadAll(chunk, out var isComplete));
        Assert.True(isComplete);
    }
}
