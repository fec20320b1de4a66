using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

/// <summary>Keys from a key set: which count, and what happens while it cannot be read.</summary>
public sealed class JwksTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly TestMetrics _metrics = new();
    private readonly LogRecorder<JwksRefresh> _log = new();
    private readonly RSA _old = RSA.Create(2048);
    private readonly RSA _new = RSA.Create(2048);
    private readonly TokenKeys _keys = new([], hasKeySet: true);
    private JwksRefresh? _refresh;

    public async ValueTask DisposeAsync()
    {
        if (_refresh is not null)
        {
            await _refresh.StopAsync(CancellationToken.None);
            _refresh.Dispose();
        }

        _old.Dispose();
        _new.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Only_public_keys_for_signatures_count()
    {
        using var small = RSA.Create(1024);
        string[] keys =
        [
            JwksServer.Jwk("plain", _old), JwksServer.Jwk("ps", _old, "\"alg\":\"PS256\",\"use\":\"sig\",\"key_ops\":[\"verify\"],"),
            JwksServer.Jwk("small", small), JwksServer.Jwk("encryption", _old, "\"use\":\"enc\","), JwksServer.Jwk("other", _old, "\"alg\":\"RS512\","),
            JwksServer.Jwk("signing", _old, "\"key_ops\":[\"sign\"],"), """{"kty":"oct","kid":"secret","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""",
            """{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""", """{"kty":"RSA","kid":"bad","n":"!!","e":"AQAB"}""",
            """{"kty":"RSA","kid":"none"}""", """{"kty":"EC","crv":"P-256","kid":"half","x":"AAAA"}""", """{"kty":"Klingon"}""", """{}""",
        ];
        var read = KeySet.TryRead($$"""{"keys":[{{string.Join(',', keys)}}],"more":1}""", out var skipped, out var problem);
        Assert.Null(problem);
        Assert.Equal(["plain RS256", "ps PS256"], read!.Select(key => $"{key.Id} {key.Algorithm}"));
        Assert.Equal(keys.Length - 2, skipped);
        var many = KeySet.TryRead($$"""{"keys":[{{string.Join(',', Enumerable.Range(0, 70).Select(i => JwksServer.Jwk($"{i}", _old)))}}]}""", out skipped, out _);
        Assert.Equal((KeySet.MaxKeys, 6), (many!.Length, skipped));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"keys":7}""")]
    [InlineData("""{"keys":[7]}""")]
    [InlineData("""{"keys":[null]}""")]
    [InlineData("""{"keys":[{"kty":7}]}""")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("{}")]
    [InlineData("<html>Moved</html>")]
    public void Anything_else_is_no_key_set(string text)
    {
        Assert.Null(KeySet.TryRead(text, out _, out var problem));
        Assert.NotEmpty(problem!);
    }

    [Fact]
    public void A_deep_key_set_is_no_key_set() => Assert.Null(KeySet.TryRead($$"""{"keys":{{new string('[', 100_000)}}""", out _, out _));

    [Fact]
    public async Task The_key_set_is_read_again_by_the_clock()
    {
        await using var issuer = await StartAsync(server => server.Publish(("old", _old)));
        Assert.Equal(TokenVerdict.Accepted, Verify("old", _old));
        issuer.Publish(("old", _old), ("new", _new));
        await AdvanceAsync(TimeSpan.FromMinutes(5), issuer);
        Assert.Equal(TokenVerdict.Accepted, Verify("new", _new));
        issuer.Publish(("new", _new));
        await AdvanceAsync(TimeSpan.FromMinutes(5), issuer);
        Assert.Equal((TokenVerdict.UnknownKey, TokenVerdict.Accepted), (Verify("old", _old), Verify("new", _new)));
        Assert.Equal(3, _log.Count(4300));
    }

    [Theory]
    [InlineData("error")]
    [InlineData("redirect")]
    [InlineData("garbage")]
    [InlineData("empty")]
    [InlineData("huge")]
    [InlineData("cut")]
    public async Task The_old_keys_stay_while_the_key_set_cannot_be_read(string failure)
    {
        await using var issuer = await StartAsync(server => server.Publish(("old", _old)));
        var good = issuer.Answer;
        issuer.Answer = context => Fail(context, failure);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await AdvanceAsync(TimeSpan.FromMinutes(5), issuer, result: "failed", attempt);
            Assert.Equal(TokenVerdict.Accepted, Verify("old", _old));
        }

        // A redirect is not followed.
        Assert.Equal(4, issuer.Requests);
        Assert.Equal((1, 0), (_log.Count(4301), _log.Count(4302)));
        issuer.Answer = good;
        await AdvanceAsync(TimeSpan.FromMinutes(5), issuer);
        await Eventually.HoldsAsync(() => _log.Count(4302) == 1, "the end of the failure is logged");
    }

    [Fact]
    public async Task An_unknown_key_has_the_key_set_read_soon_but_not_often()
    {
        await using var issuer = await StartAsync(server => server.Publish(("old", _old)));
        issuer.Publish(("old", _old), ("new", _new));
        for (var i = 0; i < 100; i++)
            Assert.Equal(TokenVerdict.UnknownKey, Verify("new", _new));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, issuer.Requests);
        await AdvanceAsync(TimeSpan.FromSeconds(1), issuer);
        Assert.Equal(TokenVerdict.Accepted, Verify("new", _new));
        await WhenWaitingAsync();
        _time.Advance(TimeSpan.FromSeconds(200));
        await WhenWaitingAsync();
        Assert.Equal(2, issuer.Requests);
        Assert.Equal(TokenVerdict.UnknownKey, Verify("none", _new));
        await Eventually.HoldsAsync(() => issuer.Requests == 3, "after the pause an unknown key is asked for at once");
    }

    [Fact]
    public async Task A_file_is_read_again_too()
    {
        var folder = Directory.CreateTempSubdirectory("push-keys-");
        try
        {
            var file = Path.Combine(folder.FullName, "jwks.json");
            await StartAsync(file);
            Assert.Equal((TokenVerdict.NoKeys, 1), (Verify("old", _old), _log.Count(4301)));
            Assert.NotNull(_refresh!.NotReadyBecause);
            await File.WriteAllTextAsync(file, JwksServer.KeySet(("old", _old)), TestContext.Current.CancellationToken);
            await WhenWaitingAsync();
            _time.Advance(JwksRefresh.FirstPause);
            await Eventually.HoldsAsync(() => _keys.Count == 1, "the file is read");
            Assert.Equal(TokenVerdict.Accepted, Verify("old", _old));
            Assert.Null(_refresh.NotReadyBecause);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>An issuer that hangs holds up nobody who has a token already.</summary>
    [Fact]
    public async Task Handshakes_go_on_while_the_key_set_is_being_read()
    {
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var issuer = await JwksServer.StartAsync();
        issuer.Publish(("old", _old));
        var good = issuer.Answer;
        await using var node = await NodeHost.StartAsync(settings: [("Push:Auth:Mode", "Required"), ("Push:Auth:Jwks", issuer.Address), ("Push:Auth:JwksRefresh", "00:00:10")]);
        issuer.Answer = async context =>
        {
            hangs.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        await Eventually.CompletesAsync(hangs.Task, "the issuer is asked again");
        await using (var client = await WsClient.ConnectAsync(node.Port, $"/ws?room=r&token={Token("old", _old)}"))
            await client.NextAsync("JOINED");
        await using (var client = await WsClient.ConnectAsync(node.Port, $"/ws?room=r&token={Token("new", _new)}"))
            Assert.Equal("token invalid: unknown key", (await client.Ended).Reason);
    }

    [Fact]
    public async Task A_node_without_its_first_keys_refuses_tokens_with_503()
    {
        await using var issuer = await JwksServer.StartAsync();
        issuer.Answer = context => context.Response.WriteAsync("later");
        await using var node = await NodeHost.StartAsync(settings: [("Push:Auth:Mode", "Optional"), ("Push:Auth:Jwks", issuer.Address)]);
        var (refused, answer) = await WsClient.TryConnectAsync(node.Port, $"/ws?token={Token("old", _old)}");
        Assert.Equal((null, 503, "1"), (refused, answer.Status, answer.Headers["Retry-After"]));
        await using var anonymous = await WsClient.ConnectAsync(node.Port, "/ws?room=r");
        await anonymous.NextAsync("JOINED");
        await anonymous.SendAsync($$$"""{"type":"AUTH","data":{"token":"{{{Token("old", _old)}}}"}}""");
        Assert.Equal("bad_token", (await anonymous.NextAsync("ERROR")).Code);
        Assert.Equal(1, node.Metrics.Read("push.connections_refused", "no_keys"));
        issuer.Publish(("old", _old));
        await Eventually.HoldsAsync(
            async () =>
            {
                var (client, _) = await WsClient.TryConnectAsync(node.Port, $"/ws?token={Token("old", _old)}");
                if (client is not null)
                    await client.DisposeAsync();
                return client is not null;
            },
            "the keys are there");
    }

    private Task Fail(HttpContext context, string how)
    {
        switch (how)
        {
            case "error":
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            case "redirect":
                context.Response.Redirect("/other");
                return Task.CompletedTask;
            case "garbage":
                return context.Response.WriteAsync("<html></html>");
            case "empty":
                return context.Response.WriteAsync("""{"keys":[]}""");
            case "huge":
                return context.Response.WriteAsync(new string(' ', 300_000) + JwksServer.KeySet(("new", _new)));
            default:
                context.Abort();
                return Task.CompletedTask;
        }
    }

    private static string Token(string id, RSA key) => ClientToken.Sign(
        $$"""{"alg":"RS256","kid":"{{id}}"}""", """{"exp":4000000000,"join":["*"]}""", signed => key.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    private async Task<JwksServer> StartAsync(Action<JwksServer> prepare)
    {
        var issuer = await JwksServer.StartAsync();
        prepare(issuer);
        await StartAsync(issuer.Address);
        Assert.Equal((1, 1), (issuer.Requests, _keys.Count));
        return issuer;
    }

    private async Task StartAsync(string place)
    {
        _refresh = new JwksRefresh(new AuthSettings { Mode = AuthMode.Required, Jwks = place }, _keys, _metrics.Node, _time, _log);
        await _refresh.StartAsync(TestContext.Current.CancellationToken);
        await WhenWaitingAsync();
    }

    /// <summary>The refresh has set its next timer, so that moving the clock is not lost on it.</summary>
    private Task WhenWaitingAsync() => Eventually.HoldsAsync(() => _time.ActiveTimers > 0, "the next reading has its time");

    /// <summary>Moves the clock until the key set has been read once more.</summary>
    private async Task AdvanceAsync(TimeSpan by, JwksServer issuer, string result = "ok", long? count = null)
    {
        var before = _metrics.Read("push.key_set_reads", result);
        var asked = issuer.Requests;
        await WhenWaitingAsync();
        // The pause has two parts, and the second begins when the first is over.
        _time.Advance(by < JwksRefresh.LeastPause ? by : JwksRefresh.LeastPause);
        if (by > JwksRefresh.LeastPause)
        {
            await WhenWaitingAsync();
            _time.Advance(by - JwksRefresh.LeastPause);
        }

        await Eventually.HoldsAsync(() => issuer.Requests > asked && _metrics.Read("push.key_set_reads", result) == before + 1, "the key set was read");
        Assert.Equal(count ?? before + 1, before + 1);
    }

    private TokenVerdict Verify(string id, RSA key) =>
        new TokenVerifier(new AuthSettings { Mode = AuthMode.Required }, _keys, _metrics.Node, _time).Verify(Token(id, key), out _);
}
