using System.Text.Json;
using System.Xml.Linq;
using PushLoad.Tests.Support;
using TestSupport.Processes;

namespace PushLoad.Tests;

/// <summary>Small runs against the real server.</summary>
public sealed class FarmTests
{
    [Fact]
    public async Task An_http_run_counts_every_delivery_and_writes_both_files()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var directory = Directory.CreateTempSubdirectory("pushload-test-");
        try
        {
            var (json, html) = (Path.Combine(directory.FullName, "r.json"), Path.Combine(directory.FullName, "r.html"));
            var (exitCode, output) = await LoadGenerator.RunAsync(
                farm.WebSocketUrl, "--publish", farm.ApiUrl, "--connections", "30", "--rooms", "3", "--rooms-per-connection", "2",
                "--rate", "90", "--duration", "3", "--size", "200", "--drain", LoadGenerator.Drain, "--json", json, "--html", html);
            Assert.True(exitCode == 0, output);

            using var result = JsonDocument.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken));
            var root = result.RootElement;
            // 30 messages a second to each room, two thirds of the connections in each.
            Assert.Equal(270, root.GetProperty("published").GetProperty("messages").GetInt64());
            Assert.Equal(270 * 20, root.GetProperty("total").GetProperty("deliveries").GetInt64());
            Assert.Equal(270 * 20, root.GetProperty("latency").GetProperty("count").GetInt64());
            Assert.Equal("Passed", root.GetProperty("verdict").GetProperty("exitCode").GetString());
            Assert.NotEmpty(root.GetProperty("seconds").EnumerateArray());

            var text = await File.ReadAllTextAsync(html, TestContext.Current.CancellationToken);
            var page = XDocument.Parse(text.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
            Assert.Contains(page.Descendants(), element => element.Name.LocalName == "path" && element.Attribute("d")!.Value.Length > 0);
            Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName is "src" or "href");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("--processes", "2", "--threads", "2")]
    [InlineData("--portable-sockets")]
    public async Task Joins_leaves_reconnects_and_slow_readers_lose_nothing(params string[] options)
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var (exitCode, output) = await LoadGenerator.RunAsync(
            [farm.WebSocketUrl, "--publish", farm.ApiUrl, "--connections", "100", "--rooms", "4", "--rooms-per-connection", "2",
             "--rate", "200", "--duration", "4", "--churn", "100", "--reconnects", "20", "--slow-readers", "5",
             "--drain", LoadGenerator.Drain, .. options]);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotMatch(@"reconnects\s+│ 0 ", output);
        Assert.DoesNotMatch(@"joins, leaves\s+│ [\d,]+, 0 ", output);
    }

    [Theory]
    [InlineData("ws", "--churn", "50")]
    [InlineData("ws", "--deflate", "--churn", "50")]
    [InlineData("msgpack", "--churn", "50")]
    [InlineData("msgpack", "--deflate", "--churn", "50")]
    [InlineData("sse")]
    [InlineData("stream")]
    public async Task Every_protocol_delivers_every_message_once_and_in_order(string protocol, params string[] options)
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var url = protocol is "sse" or "stream" ? $"http://127.0.0.1:{farm.NodePort}/{protocol}" : farm.WebSocketUrl;
        var file = Path.GetTempFileName();
        try
        {
            var (exitCode, output) = await LoadGenerator.RunAsync(
                [url, "--protocol", protocol, "--publish", farm.ApiUrl, "--connections", "60", "--rooms", "4", "--rooms-per-connection", "2",
                 "--rate", "400", "--duration", "3", "--size", "200", "--reconnects", "20", "--slow-readers", "3",
                 "--drain", LoadGenerator.Drain, "--json", file, .. options]);
            Assert.True(exitCode == 0, output);

            using var result = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var (plan, total, traffic) = (result.RootElement.GetProperty("plan"), Of("total"), Of("traffic"));
            var deflates = options.Contains("--deflate");
            Assert.Equal((protocol, deflates), (plan.GetProperty("protocol").GetString(), plan.GetProperty("deflate").GetBoolean()));
            Assert.NotEqual(0, total.GetProperty("reconnects").GetInt64());
            Assert.Equal(protocol is "sse" or "stream", total.GetProperty("leaves").GetInt64() == 0);
            Assert.Equal(deflates, total.GetProperty("deflatedFrames").GetInt64() > 0);
            Assert.Equal(deflates, traffic.GetProperty("deflateRatio").ValueKind == JsonValueKind.Number);
            if (deflates)
                Assert.InRange(traffic.GetProperty("bytesPerDelivery").GetDouble(), 1, 150);

            JsonElement Of(string name) => result.RootElement.GetProperty(name);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>More frames come in a second than one look at epoll tells of: without a second look the last would be twelve seconds late.</summary>
    [Fact]
    public async Task Looking_once_a_second_is_often_enough()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var (exitCode, output) = await LoadGenerator.RunAsync(
            farm.WebSocketUrl, "--publish", farm.ApiUrl, "--connections", "6000", "--rate", "10", "--duration", "5", "--drain", "10",
            "--connect-timeout", "120", "--read-every", "1");
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Gaps_announce_exactly_what_slow_readers_miss()
    {
        // 1.5 MB/s: a slow reader reads a tenth of it, and the node keeps 16 MiB more, so that the others may pause for ten seconds.
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Outbox:MaxBytes", "16777216"));
        var (exitCode, output) = await LoadGenerator.RunAsync(
            farm.WebSocketUrl, "--publish", farm.ApiUrl, "--connections", "10", "--slow-readers", "3", "--slow-rate", "150000",
            "--rate", "50", "--size", "30000", "--duration", "30", "--drain", LoadGenerator.Drain);
        Assert.True(exitCode == 0, output);
        Assert.Matches(@"missing, announced by GAP\s+│ [1-9][\d,]* by 0 GAPs, and [1-9]", output);
    }

    [Fact]
    public async Task A_redis_run_spreads_over_two_farms()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        // A busy machine is no outage.
        (string, string)[] settings = [("ConnectionStrings:Redis", redis.EndPoint), ("Backplane:CanaryTimeout", "00:01:00")];
        await using var first = await ProgramProcess.StartFarmAsync(settings);
        await using var second = await ProgramProcess.StartFarmAsync(settings);
        var (exitCode, output) = await LoadGenerator.RunAsync(
            first.WebSocketUrl, second.WebSocketUrl, "--redis", redis.EndPoint, "--connections", "40", "--rooms", "2", "--room-prefix", "房间 & ",
            "--rate", "500", "--duration", "3", "--drain", LoadGenerator.Drain);
        Assert.True(exitCode == 0, output);
        // 20 connections in each of two rooms.
        Assert.Matches(@"deliveries\s+│ 30,000 ", output);
    }

    [Fact]
    public async Task Raw_counts_the_frames_of_any_text()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var (exitCode, output) = await LoadGenerator.RunAsync(
            farm.WebSocketUrl, "--raw", "--connections", "10", "--duration", "15", "--header", "X-Test: yes",
            "--send", """{"type":"PING","data":{}}""", "--send", """{"type":"JOIN","data":{"room":"r"}}""");
        Assert.True(exitCode == 0, output);
        Assert.Matches(@"frames\s+│ 20, ", output);
    }
}
