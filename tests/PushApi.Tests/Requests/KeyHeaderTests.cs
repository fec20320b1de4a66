using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public sealed class KeyHeaderTests
{
    private const string Key = "Idempotency-Key";

    [Theory]
    [InlineData("k", "k")]
    [InlineData("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    [InlineData("\"8e03978e\"", "8e03978e")]
    [InlineData("!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~")]
    [InlineData("  padded  ", "padded")]
    public async Task A_key_is_read_without_quotes_and_padding(string header, string key)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (Key, header))).IsAccepted(1);
        Assert.Equal([key], api.Backplane.Keys.Select(one => one?.Name));
    }

    [Fact]
    public async Task A_key_has_64_characters_at_most()
    {
        await using var api = await ApiHost.StartAsync();
        var longest = new string('k', 64);
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (Key, longest))).IsAccepted(1);
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (Key, $"\"{longest}\""))).IsAccepted(1);
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (Key, longest + "k"))).IsProblem(400, "bad-key", Key);
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (Key, new string('k', 10_000)))).IsProblem(400, "bad-key", Key);
    }

    [Theory]
    [InlineData(Key + ": a b")]
    [InlineData(Key + ": a\tb")]
    [InlineData(Key + ":")]
    [InlineData(Key + ": \"\"")]
    [InlineData(Key + ": \"")]
    [InlineData(Key + ": \"a")]
    [InlineData(Key + ": a\"b")]
    [InlineData(Key + ": \"a\"b\"")]
    [InlineData(Key + ": a\\b")]
    [InlineData(Key + ": \"a\"; p=1")]
    [InlineData(Key + ": \u00e9")]
    [InlineData(Key + ": a\r\n" + Key + ": a")]
    [InlineData(Key + ": a\r\nidempotency-key: b")]
    [InlineData(Key + ":\r\n" + Key + ": b")]
    public async Task A_bad_key_is_refused_and_never_ignored(string headers)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.RawAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/rooms/a/messages HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{headers}\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("/problems/bad-key", answer, StringComparison.Ordinal);
        Assert.Contains("Nothing was published.", answer, StringComparison.Ordinal);
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [InlineData("\u0000")]
    [InlineData("\u00ff")]
    public async Task A_byte_that_no_header_may_have_ends_the_request(string bad)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.RawAsync(Encoding.Latin1.GetBytes(
            $"POST /v1/rooms/a/messages HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{Key}: a{bad}\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Empty(api.Backplane.Published);
    }
}
