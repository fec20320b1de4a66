using PushLoad.Tests.Support;

namespace PushLoad.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--connections accepts", "ws://localhost:1/ws", "--connections", "0")]
    [InlineData("--processes must be at least 2", "ws://localhost:1/ws", "--connections", "19001")]
    [InlineData("url is 'http://localhost:1/ws'", "http://localhost:1/ws")]
    [InlineData("--publish and --redis", "ws://localhost:1/ws", "--publish", "http://localhost:2", "--redis", "localhost:3")]
    [InlineData("--redis accepts", "ws://localhost:1/ws", "--redis", "localhost")]
    [InlineData("--raw cannot publish", "ws://localhost:1/ws", "--raw", "--redis", "localhost:3")]
    [InlineData("--rooms-per-connection accepts", "ws://localhost:1/ws", "--rooms-per-connection", "2")]
    [InlineData("--rate", "ws://localhost:1/ws", "--rate", "fast")]
    [InlineData("--deflate needs --protocol ws or msgpack", "http://localhost:1/sse", "--protocol", "sse", "--deflate")]
    [InlineData("--churn needs --protocol ws or msgpack", "http://localhost:1/stream", "--protocol", "stream", "--churn", "1")]
    [InlineData("--send needs --protocol ws or msgpack", "http://localhost:1/stream", "--protocol", "stream", "--raw", "--send", "x")]
    [InlineData("--token-key accepts", "ws://localhost:1/ws", "--token-key", "short")]
    [InlineData("--users needs --token-key", "ws://localhost:1/ws", "--users", "2")]
    [InlineData("--send-rate needs --token-key", "ws://localhost:1/ws", "--send-rate", "2")]
    [InlineData("--user-rate needs --token-key", "ws://localhost:1/ws", "--user-rate", "2", "--redis", "localhost:3")]
    [InlineData("--api-key needs --publish", "ws://localhost:1/ws", "--api-key", "x")]
    [InlineData("--online needs --protocol ws or msgpack", "http://localhost:1/sse", "--protocol", "sse", "--online")]
    [InlineData("--rate accepts", "ws://localhost:1/ws", "--rate", "0")]
    [InlineData("--read-every accepts 0 to 1", "ws://localhost:1/ws", "--read-every", "1.5")]
    [InlineData("--burst accepts 1 to 1000", "ws://localhost:1/ws", "--burst", "1001")]
    [InlineData("--burst accepts at most 10000 bursts", "ws://localhost:1/ws", "--burst", "2", "--rate", "1000", "--duration", "21")]
    [InlineData("url is 'ws://localhost:1/ws'; with this", "ws://localhost:1/ws", "--protocol", "sse")]
    [InlineData("'grpc' not recognized", "ws://localhost:1/ws", "--protocol", "grpc")]
    [InlineData("--bogus", "ws://localhost:1/ws", "--bogus")]
    [InlineData("url")]
    public async Task A_wrong_option_is_named_and_exits_with_1(string expected, params string[] arguments)
    {
        var (exitCode, output) = await LoadGenerator.RunAsync(arguments);
        Assert.Equal(1, exitCode);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }
}
