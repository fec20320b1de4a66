using PushNode.WebSocket;

namespace PushNode.Tests.WebSocket;

public sealed class DeflateNegotiationTests
{
    private const string Answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    private const string WithWindow = Answer + "; server_max_window_bits=15";

    [Theory]
    // What browsers and libraries offer.
    [InlineData("permessage-deflate; client_max_window_bits")]
    [InlineData("permessage-deflate")]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; client_no_context_takeover")]
    [InlineData("permessage-deflate; client_max_window_bits=8")]
    [InlineData("permessage-deflate; client_max_window_bits=\"15\"")]
    // Spaces, order, case and empty elements.
    [InlineData("permessage-deflate;client_max_window_bits;server_no_context_takeover")]
    [InlineData(" permessage-deflate\t;\tclient_max_window_bits = 10 ")]
    [InlineData(",, permessage-deflate ,")]
    // Other extensions in the same header.
    [InlineData("x-webkit-deflate-frame, permessage-deflate")]
    [InlineData("foo; a=1; b=\"2\"; c, permessage-deflate, bar")]
    // An offer that cannot be met, then one that can.
    [InlineData("permessage-deflate; server_max_window_bits=10, permessage-deflate")]
    [InlineData("permessage-deflate; unknown, permessage-deflate; client_max_window_bits")]
    public void An_offer_is_accepted(string header) => Assert.Equal(Answer, Choose(header));

    [Theory]
    [InlineData("permessage-deflate; server_max_window_bits=15")]
    [InlineData("permessage-deflate; server_max_window_bits=\"1\\5\"; client_max_window_bits")]
    [InlineData("permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=15, permessage-deflate")]
    public void A_window_that_is_asked_for_is_in_the_answer(string header) => Assert.Equal(WithWindow, Choose(header));

    [Theory]
    [InlineData("permessage-deflate; server_max_window_bits=14")]
    [InlineData("permessage-deflate; server_max_window_bits=8")]
    [InlineData("permessage-deflate; server_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=015")]
    [InlineData("permessage-deflate; server_max_window_bits=+15")]
    [InlineData("permessage-deflate; server_max_window_bits=99999999999")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=7")]
    [InlineData("permessage-deflate; client_max_window_bits=16")]
    [InlineData("permessage-deflate; client_max_window_bits=08")]
    [InlineData("permessage-deflate; client_max_window_bits=x")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; client_no_context_takeover=true")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover")]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_max_window_bits=15; server_max_window_bits=15")]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate; unknown=15; client_max_window_bits")]
    [InlineData("Permessage-Deflate")]
    [InlineData("permessage-bzip2")]
    [InlineData("x-webkit-deflate-frame; no_context_takeover")]
    public void An_offer_that_cannot_be_met_is_declined(string header) => Assert.Null(Choose(header));

    /// <summary>Not allowed by RFC 6455, and harmless: a client that sends it wants no extension.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    public void An_empty_header_is_no_offer(string header)
    {
        Assert.Null(Choose(header));
        Assert.Equal(Answer, Choose(header, "permessage-deflate"));
    }

    [Theory]
    [InlineData(";")]
    [InlineData("permessage-deflate;")]
    [InlineData("permessage-deflate; ;client_max_window_bits")]
    [InlineData("permessage-deflate client_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=")]
    [InlineData("permessage-deflate; client_max_window_bits=\"\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"15")]
    [InlineData("permessage-deflate; client_max_window_bits=\"1 5\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\" 15\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"1\\\"5\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"15\"x")]
    [InlineData("permessage-deflate; client_max_window_bits=1 5")]
    [InlineData("permessage-deflate; client_max_window_bits==15")]
    [InlineData("permessage-deflate, =")]
    [InlineData("permessage-deflate, foo; bar=\"")]
    [InlineData("permessage-deflate, foo/bar")]
    [InlineData("permessage-deflate; (comment)")]
    [InlineData("permessage-défläte")]
    public void A_malformed_header_is_found(string header)
    {
        Assert.False(DeflateNegotiation.TryChoose([header], out var answer));
        Assert.Null(answer);
        Assert.False(DeflateNegotiation.TryChoose(["permessage-deflate", header], out answer));
        Assert.Null(answer);
    }

    [Fact]
    public void Offers_may_be_spread_over_headers()
    {
        Assert.Equal(Answer, Choose("foo", "permessage-deflate; unknown", "permessage-deflate"));
        Assert.Equal(WithWindow, Choose("permessage-deflate; server_max_window_bits=15", "permessage-deflate"));
        Assert.Null(Choose());
    }

    [Theory]
    [InlineData(41)]
    public void Random_headers_never_throw(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] parts = ["permessage-deflate", "server_max_window_bits", "client_max_window_bits", "foo", ";", ",", "=", "\"", "\\", " ", "\t", "15", "8", "é", "\0", "/"];
        for (var i = 0; i < 100_000; i++)
        {
            var header = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => parts[random.Next(parts.Length)]));
            if (!DeflateNegotiation.TryChoose([header], out var answer))
                Assert.Null(answer);
            else if (answer is not null)
                Assert.Contains("permessage-deflate", header, StringComparison.Ordinal);
        }
    }

    private static string? Choose(params string[] headers)
    {
        Assert.True(DeflateNegotiation.TryChoose(headers, out var answer));
        return answer;
    }
}
