using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using RedisPush.Client.Tests.Support;
using RedisPush.Publisher;
using StackExchange.Redis;
using TestSupport.Clients;
using TestSupport.Processes;

namespace RedisPush.Client.Tests;

/// <summary>The C# of docs/clients-dotnet.md. Each block stands here as well, where it compiles, and most of them run.</summary>
public sealed partial class DocumentationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_block_of_the_page_is_in_this_file()
    {
        var here = Simple(Repository.Read("tests/RedisPush.Client.Tests/DocumentationTests.cs"));
        var blocks = Block().Matches(Repository.Read("docs/clients-dotnet.md")).Select(match => Simple(match.Groups[1].Value)).ToList();
        Assert.Equal(12, blocks.Count);
        var parts = blocks.SelectMany(block => block.Split("\n\n")).Select(part => part.Trim()).Where(part => !IsUsings(part)).ToList();
        Assert.All(parts, part => Assert.Contains(part, here, StringComparison.Ordinal));

        static bool IsUsings(string part) => part.Split('\n').All(line => line.StartsWith("using RedisPush.", StringComparison.Ordinal)
            || line.StartsWith("using System.", StringComparison.Ordinal));

        // Without indentation, and with the tests' addresses.
        static string Simple(string text) => string.Join('\n', Address().Replace(text, "url").Split('\n').Select(line => line.Trim()));
    }

    [Fact]
    public async Task Messages_are_published_and_read()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        // A busy machine is no outage.
        await using var farm = await ProgramProcess.StartFarmAsync(
            ("ConnectionStrings:Redis", redis.EndPoint), ("Backplane:CanaryTimeout", "00:00:30"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var console = new Output();
        var reading = ReadAsync(new Uri(farm.WebSocketUrl), console, stop.Token);
        // JOINED is the first thing that a node says.
        await Metrics.UntilAsync(farm, metrics => metrics["push_sent_bytes_total"] > 0, "the room is joined");
        await PublishAsync(new Uri(farm.ApiUrl), console);
        Assert.Equal(new PublishResult(1, 1), await PublishToRedisAsync($"{redis.EndPoint},connectTimeout=60000"));
        await Eventually.HoldsAsync(() => console.Lines.Count == 7, "all messages", () => string.Join('\n', console.Lines));
        Assert.Contains("1 accepted, 1 nodes", console.Lines);
        Assert.Equal(
            ["""{"text":"hi"}""", """{"from":"alice","text":"hi"}""", "\"plain text\"", "[1,2]", """{"order":1042}""", "\"hi\""],
            console.Lines.Where(line => !line.EndsWith("nodes", StringComparison.Ordinal)));
        Assert.Equal(ConnectionState.Connected, await OptionsAsync(new Uri(farm.WebSocketUrl)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public void A_message_is_read_as_an_object_or_an_element()
    {
        var (chat, text) = Parse(new PushMessage("""{"from":"alice","text":"hi"}"""u8.ToArray(), null));
        Assert.Equal((new Chat("alice", "hi"), "hi"), (chat!, text));
    }

    [Fact]
    public async Task A_message_is_sent_and_the_token_renewed()
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            var send = await connection.NextAsync();
            Assert.Equal("""{"text":"hi"}""", send.GetProperty("data").GetProperty("item").GetRawText());
            await connection.SentAsync(send);
            await connection.AuthedAsync(await connection.NextAsync());
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = LoginAsync);
        await Eventually.CompletesAsync(SendAsync(client), "AUTHED");
    }

    [Fact]
    public async Task A_program_that_was_restarted_goes_on_where_its_reader_was()
    {
        var joins = new List<string>();
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            joins.Add((await connection.AnswerJoinAsync(number == 0 ? ""","epoch":"e1","offset":3""" : ""","recovered":true,"epoch":"e1","offset":4""")).GetRawText());
            await connection.SendAsync($$$"""{"type":"PUSH","data":{"room":"orders","epoch":"e1","offset":{{{number + 4}}},"items":[{{{number + 4}}}]}}""");
            await connection.StayAsync();
        });
        var (stored, handled) = ("", new ConcurrentQueue<string>());
        foreach (var last in (string[])["4", "5"])
        {
            await using var client = Clients.Of(server.Url);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var continuing = ContinueAsync(client, () => Task.FromResult(stored), position => Task.FromResult(stored = position), next => handled.Enqueue($"{next}"), stop.Token);
            await Eventually.HoldsAsync(() => stored == $"e1.{last}", $"message {last}");
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => continuing);
        }

        Assert.Equal(["4", "joined, recovered", "5"], handled);
        Assert.Equal(["""{"room":"orders","last":20}""", """{"room":"orders","since":{"epoch":"e1","offset":4},"last":20}"""], joins);
    }

    [Fact]
    public async Task Counts_are_asked_for_and_a_user_is_muted()
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}/";
        using var api = new HttpListener { Prefixes = { url } };
        api.Start();
        var console = new Output();
        var ordering = OrderAsync(new Uri(url), "key", console);
        foreach (var answer in new[] { """{"room":"demo","online":12,"users":7,"nodes":2}""", """{"nodes":2,"until":1795176601}""" })
        {
            var call = await Eventually.CompletesAsync(api.GetContextAsync(), "a request");
            Assert.Equal("Bearer key", call.Request.Headers["Authorization"]);
            call.Response.Close(Encoding.UTF8.GetBytes(answer), willBlock: true);
        }

        await Eventually.CompletesAsync(ordering, "the answer");
        Assert.Equal(["12 connections in demo"], console.Lines);
    }

    [Fact]
    public async Task A_container_gives_a_client_and_a_publisher()
    {
        var services = new ServiceCollection();
        Register(services, new Uri("ws://localhost:7777/ws"));
        await using (var provider = services.BuildServiceProvider())
            Assert.Equal(ConnectionState.Disconnected, provider.GetRequiredService<RedisPushClient>().State);
        services = new ServiceCollection();
        RegisterWithHttpClients(services, new Uri("http://localhost:7799"));
        await using var other = services.BuildServiceProvider();
        Assert.IsType<HttpPublisher>(other.GetRequiredService<IRedisPushPublisher>());
    }

    private static async Task ReadAsync(Uri url, Output Console, CancellationToken stopping)
    {
        await using var client = new RedisPushClient(url);
        await using var room = await client.JoinAsync("demo", cancellationToken: stopping);
        await foreach (var next in room.ReadAllAsync(stopping))
        {
            switch (next)
            {
                case PushMessage message:
                    Console.WriteLine(message);
                    break;
                case PushGap gap:
                    Console.WriteLine($"{gap.Missed?.ToString() ?? "Perhaps some"} messages are missing here: {gap.Reason}");
                    break;
            }
        }
    }

    private static async Task ContinueAsync(
        RedisPushClient client, Func<Task<string>> LoadAsync, Func<string, Task> StoreAsync, Action<PushEvent> Handle, CancellationToken stopping)
    {
        PushPosition? since = PushPosition.TryParse(await LoadAsync(), out var stored) ? stored : null;
        await using var room = await client.JoinAsync("orders", new JoinOptions { Since = since, Last = 20, Heal = true }, stopping);
        await foreach (var next in room.ReadAllAsync(stopping))
        {
            Handle(next);
            await StoreAsync($"{room.Position}");
        }
    }

    private static async Task SendAsync(RedisPushClient client)
    {
        await client.SendAsync("demo", new Line("hi"), LineJson.Default.Line);
        var stopping = Cancellation;

        await client.RefreshTokenAsync(stopping);
    }

    private static (Chat? Chat, string? Text) Parse(PushMessage message)
    {
        var chat = message.Deserialize(ChatJson.Default.Chat);       // by source-generated metadata
        var text = message.ToElement().GetProperty("text").GetString();
        return (chat, text);
    }

    private static async Task<ConnectionState> OptionsAsync(Uri url)
    {
        await using var client = new RedisPushClient(new RedisPushClientOptions
        {
            Url = url,
            TokenProvider = async cancellation => await LoginAsync(cancellation),
            Compression = true,
            ConfigureWebSocket = socket => socket.SetRequestHeader("User-Agent", "my-app/1.0"),
        });
        var stopping = CancellationToken.None;

        await client.ConnectAsync(stopping);
        return client.State;
    }

    private static async Task PublishAsync(Uri url, Output Console)
    {
        using var publisher = new HttpPublisher(new HttpPublisherOptions { Url = url });
        await publisher.PublishAsync("demo", PushItem.Json("""{"text":"hi"}"""));
        await publisher.PublishAsync("demo", new Chat("alice", "hi"), ChatJson.Default.Chat);
        await publisher.PublishAsync(["demo", "other"], [PushItem.Text("plain text"), PushItem.Json("[1,2]")]);
        await publisher.PublishToUserAsync("alice", PushItem.Text("on all your devices"));
        var result = await publisher.BroadcastAsync(PushItem.Text("to all"));
        Console.WriteLine($"{result.Accepted} accepted, {result.Nodes} nodes");
        await PublishOnceAsync(publisher);
    }

    private static async Task PublishOnceAsync(HttpPublisher publisher)
    {
        await publisher.PublishAsync("demo", [PushItem.Json("""{"order":1042}""")], "order-1042");
    }

    private static async Task OrderAsync(Uri url, string apiKey, Output Console)
    {
        using var farm = new FarmApi(new HttpPublisherOptions { Url = url, ApiKey = apiKey });
        var room = await farm.GetRoomAsync("demo");
        Console.WriteLine($"{room.Online} connections in {room.Room}");
        await farm.MuteAsync("mallory", TimeSpan.FromMinutes(10), reason: "spam");
    }

    private static async Task<PublishResult> PublishToRedisAsync(string url)
    {
        var redis = await ConnectionMultiplexer.ConnectAsync(url);
        var publisher = new RedisPublisher((channel, payload, _) => redis.GetSubscriber().PublishAsync(channel, payload.ToArray()));
        var result = await publisher.PublishAsync("demo", PushItem.Text("hi"));
        redis.Dispose();
        return result;
    }

    private static void Register(IServiceCollection services, Uri url)
    {
        services.AddRedisPushClient(options => options.Url = url);
        services.AddRedisPushPublisher(options => options.Url = url);
    }

    private static void RegisterWithHttpClients(IServiceCollection services, Uri url)
    {
        services.AddHttpClient("push");
        services.AddRedisPushPublisher(
            options => options.Url = url,
            provider => provider.GetRequiredService<IHttpClientFactory>().CreateClient("push"));
    }

    private static ValueTask<string?> LoginAsync(CancellationToken cancellation) => ValueTask.FromResult<string?>(cancellation.IsCancellationRequested ? null : "token");

    internal sealed record Line(string Text);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Line))]
    internal sealed partial class LineJson : JsonSerializerContext;

    [GeneratedRegex("(?s)```csharp\n(.*?)```")]
    private static partial Regex Block();

    [GeneratedRegex(@"new Uri\(""[^""]*""\)|""localhost:6379""")]
    private static partial Regex Address();

    /// <summary>Stands in for the console.</summary>
    private sealed class Output
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public void WriteLine(object line) => Lines.Enqueue(line.ToString()!);
    }

    internal sealed record Chat(string From, string Text);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Chat))]
    internal sealed partial class ChatJson : JsonSerializerContext;
}
