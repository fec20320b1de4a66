using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>TLS on both connections to Redis: the publisher's and the subscriber's.</summary>
public sealed class RedisTlsTests
{
    private const string Password = "correct-horse-battery";

    [Fact]
    public async Task A_message_published_over_TLS_reaches_a_member()
    {
        await using var redis = await TlsRedis.StartNewAsync("--requirepass", Password);
        (string, string)[] settings = [("ConnectionStrings:Redis", $"{redis.EndPoint},ssl=true,password={Password}"), ("SSL_CERT_FILE", redis.Authority)];
        await using var node = await ProgramProcess.StartNodeAsync(settings);
        await using var api = await ProgramProcess.StartApiAsync(settings);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        await client.JoinAsync(room);

        Assert.Equal("1", await redis.CliAsync("-a", Password, "--no-auth-warning", "PUBLISH", Room.Channel(room), "1"));
        Assert.Equal(["1"], await client.NextItemsAsync(room, 1));
        // Longer than a record of TLS.
        var longer = $"\"{new string('x', 60_000)}\"";
        await Http.PublishAsync(api, room, longer);
        Assert.Equal([longer], await client.NextItemsAsync(room, 1));
        Assert.DoesNotContain(Password, node.Log + api.Log, StringComparison.Ordinal);
    }

    /// <summary>Redis cuts off a node that falls 16 MB behind: not one that a busy machine stops for some seconds, but one that reads slowly.</summary>
    [Fact]
    public async Task Three_megabytes_a_second_over_TLS_reach_a_member_without_loss()
    {
        const int Messages = 45_000;
        const int Group = 60;
        await using var redis = await TlsRedis.StartNewAsync("--client-output-buffer-limit", "pubsub", "16mb", "0", "0");
        // Neither a slow thread of the node nor a slow client costs a message.
        await using var node = await ProgramProcess.StartNodeAsync(
            ("ConnectionStrings:Redis", $"{redis.EndPoint},ssl=true"), ("SSL_CERT_FILE", redis.Authority),
            ("Push:Merge:MaxBatchBytes", "16777216"), ("Push:Outbox:MaxBytes", "134217728"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis.Plain);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        await client.JoinAsync(room);
        var receiving = Task.Run(() => client.NextItemsAsync(room, Messages), TestContext.Current.CancellationToken);

        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var filler = new string('x', 980);
        for (var first = 0; first < Messages; first += Group)
        {
            // Shapes the load; no result depends on it.
            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            var reached = await publisher.PublishAsync(Room.Channel(room), [.. Enumerable.Range(first, Group).Select(i => Encoding.ASCII.GetBytes($"\"{i} {filler}\""))]);
            Assert.All(reached, count => Assert.Equal(1, count));
        }

        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"\"{i} {filler}\""), await receiving);
        Assert.DoesNotContain("[2002]", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_certificate_of_the_environment_is_sent_to_Redis()
    {
        await using var redis = await TlsRedis.StartNewAsync("--tls-auth-clients", "yes");
        (string, string)[] settings = [("ConnectionStrings:Redis", $"{redis.EndPoint},ssl=true"), ("SSL_CERT_FILE", redis.Authority), ("SERedis_ClientCertPfxPath", redis.ClientCertificate)];
        await using var node = await ProgramProcess.StartNodeAsync(settings);
        await using var api = await ProgramProcess.StartApiAsync(settings);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        await client.JoinAsync(room);
        await Http.PublishAsync(api, room, "1");
        Assert.Equal(["1"], await client.NextItemsAsync(room, 1));
    }

    [Theory]
    [InlineData("localhost", "correct-horse-battery", "its certificate is not trusted (", false)]
    [InlineData("127.0.0.1", "correct-horse-battery", "its certificate is for another name than 127.0.0.1.", true)]
    [InlineData("localhost", "wrong", "it does not accept the user or the password (WRONGPASS).", true)]
    [InlineData("localhost", "wrong,user=node", "it does not accept the user or the password (WRONGPASS).", true)]
    public async Task The_log_names_the_cause_of_a_TLS_or_password_failure(string host, string password, string cause, bool isTrusted)
    {
        await using var redis = await TlsRedis.StartNewAsync("--requirepass", Password);
        var endPoint = redis.EndPoint.Replace("localhost", host, StringComparison.Ordinal);
        var management = FreePort.Next();
        await using var node = ProgramProcess.Start(
            "PushNode",
            [("ConnectionStrings:Redis", $"{endPoint},ssl=true,password={password}"), ("Management:Port", $"{management}"), .. isTrusted ? [("SSL_CERT_FILE", redis.Authority)] : Array.Empty<(string, string)>()],
            ["--urls", $"http://127.0.0.1:{FreePort.Next()}"],
            managementPort: management);
        await node.BecomesUnreadyAsync();
        await Eventually.HoldsAsync(() => node.Log.Contains($"Redis at {endPoint} is unavailable: {cause}", StringComparison.Ordinal), "the cause is logged", () => node.Log);
        await Eventually.HoldsAsync(async () => (await Http.GetAsync(management, "/readyz")).Body.StartsWith($"Redis at {endPoint} is unavailable: {cause}", StringComparison.Ordinal), "the cause is the reason", () => node.Log);
        Assert.DoesNotContain(Password, node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_TLS_a_node_is_not_ready_and_its_log_tells_no_secret()
    {
        const string Cause = "it cannot be reached";
        await using var redis = await TlsRedis.StartNewAsync("--requirepass", Password);
        var management = FreePort.Next();
        await using var node = ProgramProcess.Start(
            "PushNode",
            [("ConnectionStrings:Redis", $"{redis.EndPoint},password={Password}"), ("Management:Port", $"{management}")],
            ["--urls", $"http://127.0.0.1:{FreePort.Next()}"],
            managementPort: management);
        await node.BecomesUnreadyAsync();
        await Eventually.HoldsAsync(() => node.Log.Contains("[2002]", StringComparison.Ordinal) && node.Log.Contains($"Redis at {redis.EndPoint} is unavailable: {Cause}", StringComparison.Ordinal), "the cause is logged", () => node.Log);
        await node.BecomesUnreadyAsync();
        Assert.DoesNotContain(Password, node.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", node.Log, StringComparison.Ordinal);
    }
}
