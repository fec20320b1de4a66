using System.Collections.Concurrent;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

public sealed class HostileTokenTests
{
    private const int Count = 1000;

    private static readonly HashSet<string> Texts =
        [.. Enum.GetValues<TokenVerdict>().Where(verdict => verdict is not (TokenVerdict.Accepted or TokenVerdict.NoKeys)).Select(verdict => verdict.Text())];

    [ThreadStatic]
    private static int _thrown;

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void A_thousand_hostile_tokens_are_refused_without_an_exception(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var tokens = new HostileTokens(seed);
        using var metrics = new TestMetrics();
        var verifier = new TokenVerifier(new AuthSettings { Mode = AuthMode.Required }, new TokenKeys(tokens.Keys, hasKeySet: false), metrics.Node, new ManualTime());
        Assert.All(tokens.Good, token => Assert.Equal(TokenVerdict.Accepted, verifier.Verify(token, out _)));

        EventHandler<System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs> count = static (_, _) => _thrown++;
        AppDomain.CurrentDomain.FirstChanceException += count;
        try
        {
            _thrown = 0;
            for (var i = 0; i < Count; i++)
            {
                var token = tokens.Next();
                var verdict = verifier.Verify(token, out var principal);
                Assert.True(verdict != TokenVerdict.Accepted && principal is null, token);
                Assert.Contains(verdict.Text(), Texts);
            }

            Assert.Equal(0, _thrown);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= count;
        }

        Assert.Equal(Count + 3, metrics.Read("push.tokens"));
    }

    /// <summary>A second opinion: whatever is accepted here, the library's handler accepts too. It accepts more, <c>crit</c> for example.</summary>
    [Fact]
    public async Task What_is_accepted_the_librarys_handler_accepts_too()
    {
        using var metrics = new TestMetrics();
        var verifier = new TokenVerifier(new AuthSettings { Mode = AuthMode.Required }, new TokenKeys([TestTokens.Key], hasKeySet: false), metrics.Node, TimeProvider.System);
        var handler = new JsonWebTokenHandler();
        var rules = new TokenValidationParameters
        {
            IssuerSigningKey = new SymmetricSecurityKey(TestTokens.Bytes(TestTokens.Secret)),
            ValidAlgorithms = ["HS256"],
            ValidateIssuer = false,
            ValidateAudience = false,
            ClockSkew = TimeSpan.FromSeconds(30),
        };
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var accepted = 0;
        foreach (var header in new[] { """{"alg":"HS256"}""", """{"alg":"HS256","typ":"JWT","kid":"x"}""", """{"alg":"none"}""", """{"alg":"HS512"}""" })
        {
            foreach (var exp in new[] { "", $"\"exp\":{now + 600},", $"\"exp\":{now - 600},", "\"exp\":4000000000,", "\"exp\":\"4000000000\"," })
            {
                foreach (var rest in new[] { "\"join\":[\"a\"]", $"\"nbf\":{now + 600}", $"\"nbf\":{now - 600}", "\"sub\":\"a\"", "\"sub\":5" })
                {
                    var token = TestTokens.Make(header, $$"""{{{exp}}{{rest}}}""");
                    if (verifier.Verify(token, out _) != TokenVerdict.Accepted)
                        continue;
                    accepted++;
                    var result = await handler.ValidateTokenAsync(token, rules);
                    Assert.True(result.IsValid, $"{token}: {result.Exception?.Message}");
                }
            }
        }

        Assert.Equal(12, accepted);
    }

    [Fact]
    public async Task A_thousand_hostile_clients_are_closed_and_leave_nothing_behind()
    {
        const int Seed = 33;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {Seed}");
        using var tokens = new HostileTokens(Seed);
        await using var node = await NodeHost.StartAsync(settings:
        [
            ("Push:Auth:Mode", "Required"), ("Push:Auth:Keys:0:Algorithm", "HS256"), ("Push:Auth:Keys:0:Secret", TestTokens.Secret), ("Push:Connections:MaxMessageBytes", "65536"),
            ("Push:Auth:AuthTimeout", "00:05:00"),
        ]);
        await using var good = await WsClient.ConnectAsync(node.Port, $"/ws?room=r&token={tokens.Good[0]}");
        await good.NextAsync("JOINED");

        var ends = new ConcurrentBag<ConnectionEnd>();
        var hostile = Enumerable.Range(0, Count).Select(_ => tokens.Next()).ToArray();
        await Parallel.ForEachAsync(hostile.Index(), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (pair, _) =>
        {
            var escaped = Uri.EscapeDataString(pair.Item);
            var (byUrl, length) = (pair.Index % 2 == 0 && escaped.Length < 7000, escaped.Length);
            await using var client = await WsClient.ConnectAsync(node.Port, byUrl ? $"/ws?room=r&token={escaped}" : "/ws", patient: true);
            if (!byUrl)
                await client.SendAsync($$$"""{"type":"AUTH","data":{"token":{{{System.Text.Json.JsonSerializer.Serialize(pair.Item)}}}}}""");
            ends.Add(await client.Ended);
        });

        Assert.Equal(Count, ends.Count);
        Assert.All(ends, end => Assert.True(end.Code == 4001 && Texts.Contains(end.Reason), end.ToString()));
        await good.SendAsync("""{"type":"PING","data":{}}""");
        await good.NextAsync("PONG");
        await Eventually.HoldsAsync(() => node is { Admitted: 1, Open: 1 }, "only the good client is left");
        Assert.Equal(0, node.Metrics.Read("push.failures"));
        Assert.Equal(1, node.Metrics.Read("push.tokens", "accepted"));
    }
}
