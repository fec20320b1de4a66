using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>An invalid setting stops a program on start with one sentence that names the key.</summary>
public sealed class SettingsTests
{
    public static TheoryData<string, string, string> Wrong
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (key, value) in new[]
            {
                ("Push:Merge:Window", "banana"), ("Push:Merge:Window", "1"), ("Push:Merge:Window", "-00:00:01"), ("Push:Merge:Gather", "1"),
                ("Push:Merge:MaxBatchBytes", "0"), ("Push:Merge:MaxBatchBytes", "256 KiB"), ("Push:Merge:MaxBatchBytes", "99999999999999999999"),
                ("Push:Merge:Windw", "00:00:01"), ("Push:Nonsense", "1"), ("Push:Outbox:WhenFull", "Explode"), ("Push:Outbox:WhenFull", "7"),
                ("Push:Outbox:MaxBytes", "1"), ("Push:Outbox:MaxBytes", "-5"), ("Push:Outbox:StuckAfter", "forever"),
                ("Push:Connections:Max", "0"), ("Push:Connections:Max", "many"), ("Push:Connections:MaxRooms", "-1"), ("Push:Connections:MaxMessageBytes", "0"),
                ("Push:Connections:AllowedOrigins", "not an origin"), ("Push:Connections:AllowedOrigins", "https://a.example/path"),
                ("Push:Connections:PingAfter", "0"), ("Push:Connections:CloseAfter", "00:00:01"), ("Push:Connections:HandshakeTimeout", "x"), ("Push:Connections:MaxHandshakes", "-1"),
                ("Push:Subscription:Linger", "-1"), ("Push:Drain:ClosesPerSecond", "0"), ("Push:Drain:Deadline", "soon"), ("Push:Drain:RetryAfter", "1.5"),
                ("Push:LiveRoom:Enabled", "maybe"), ("Push:LiveRoom:ApiUrl", "localhost:7799"), ("Push:LiveRoom:ApiUrl", "https://a.example/?q"),
                ("Push:Drain:ClosesPerSecond", "500"), ("Push:Drain:Over", "00:01:00"), ("Push:Node", "*"),
                ("Push:FanOut:Workers", "-1"), ("Push:FanOut:Workers", "1000000"), ("Push:FanOut:Sends", "Fast"),
                ("Management:Port", "99999"), ("Management:Port", "banana"), ("Management:Address", "banana"), ("Management:Prot", "1"),
                ("Backplane:CanaryTimeout", "never"), ("Backplane:Nonsense", "1"),
                ("ConnectionStrings:Redis", "localhost:banana"), ("ConnectionStrings:Redis", "127.0.0.1:6379,nosuchoption=1"), ("ConnectionStrings:Redis", "127.0.0.1:70000"),
                ("ConnectionStrings:Redis", "127.0.0.1:6379,proxy=Twemproxy"), ("ConnectionStrings:Redis", "127.0.0.1:6379,channelPrefix=x:"), ("ConnectionStrings:Redis", "127.0.0.1:6379,$SUBSCRIBE=x"),
                ("Backplane:Gather", "00:00:02"),
                ("Backplane:Servers", "127.0.0.1:6379"), ("Backplane:Servers:0", ""), ("Backplane:Servers:0", "127.0.0.1:1"), ("Backplane:Servers:1", "127.0.0.1:1"), ("Backplane:Servers:first", "127.0.0.1:1"),
                ("Logging:LogLevel:Default", "7"),
                ("urls", "banana"),
            })
            {
                data.Add("PushNode", key, value);
            }

            foreach (var (key, value) in new[]
            {
                ("PushApi:MaxItems", "none"), ("PushApi:MaxItems", "0"), ("PushApi:Nonsense", "1"), ("Management:Port", "-1"), ("Backplane:ChannelPrefix", ""),
                ("Backplane:PublishTimeout", "1"), ("Backplane:PublishTimeout", "00:00:10"), ("PushApi:AllowedOrigins", "example.com"), ("PushApi:AllowedHosts", "http://a.example"), ("ConnectionStrings:Rediss", "127.0.0.1:6379"),
                ("ConnectionStrings:Redis", "localhost:banana"), ("Backplane:Servers:0", "127.0.0.1:1"), ("urls", "http://localhost:99999"),
            })
            {
                data.Add("PushApi", key, value);
            }

            foreach (var (key, value) in new[]
            {
                ("Farm:NodeUrl", "banana"), ("Farm:ApiUrl", "http://publish.example:7799"), ("Logging:Console:FormatterOptions:TimestampFormat", "%"), ("Farm:ApiUrl", "http://localhost:99999"), ("Farm:Nonsense", "1"), ("Push:Merge:Window", "banana"), ("PushApi:MaxItems", "x"),
                ("PushApi:MaxMessageBytes", "262145"), ("Push:Merge:MaxBatchBytes", "65535"), ("ConnectionStrings:Rediss", "127.0.0.1:6379"),
                ("Management:Port", "99999"), ("ConnectionStrings:Redis", "localhost:banana"), ("Backplane:Servers:0", "127.0.0.1:1"), ("Kestrel:Endpoints:X:Url", "http://127.0.0.1:1"),
            })
            {
                data.Add("PushFarm", key, value);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task An_invalid_setting_stops_the_program_with_one_sentence_naming_it(string program, string key, string value)
    {
        await using var process = StartOnFreePorts(program, (key, value));
        await ExpectOneSentenceAsync(process, key);
    }

    [Fact]
    public async Task An_invalid_setting_on_the_command_line_stops_the_program()
    {
        await using var process = ProgramProcess.Start("PushNode", [("Management:Port", $"{FreePort.Next()}")], ["--urls=banana"]);
        await ExpectOneSentenceAsync(process, "urls");
        await using var other = ProgramProcess.Start("PushNode", [("Management:Port", $"{FreePort.Next()}")], ["--urls", $"http://127.0.0.1:{FreePort.Next()}", "--Push:Merge:Window=banana"]);
        await ExpectOneSentenceAsync(other, "Push:Merge:Window");
        await using var third = ProgramProcess.Start("PushNode", [], ["--contentRoot", "/no/such/directory"]);
        await ExpectOneSentenceAsync(third, "contentRoot");
    }

    [Theory]
    [InlineData("PushNode", "urls")]
    [InlineData("PushNode", "Management:Port")]
    [InlineData("PushApi", "urls")]
    [InlineData("PushFarm", "Farm:NodeUrl")]
    [InlineData("PushFarm", "Farm:ApiUrl")]
    [InlineData("PushFarm", "Management:Port")]
    public async Task An_address_in_use_is_named(string program, string key)
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, FreePort.Next());
        holder.Start();
        var port = ((System.Net.IPEndPoint)holder.LocalEndpoint).Port;
        await using var process = StartOnFreePorts(program, (key, key == "Management:Port" ? $"{port}" : $"http://127.0.0.1:{port}"));
        await ExpectOneSentenceAsync(process, $"{port}");
    }

    [Theory]
    [InlineData("PushNode", "Backplane:Servers:1", "127.0.0.1:banana")]
    [InlineData("PushApi", "Backplane:Servers:1", "127.0.0.1:6379")]
    [InlineData("PushFarm", "Backplane:Servers:2", "127.0.0.1:6379")]
    public async Task An_invalid_list_of_servers_is_refused_naming_the_wrong_one(string program, string key, string value)
    {
        var second = key.EndsWith('1') ? value : "127.0.0.1:6380";
        await using var process = ProgramProcess.Start(
            program,
            [("Management:Port", $"{FreePort.Next()}"), ("Backplane:Servers:0", "127.0.0.1:6379"), ("Backplane:Servers:1", second), (key, value)],
            program == "PushFarm" ? [] : ["--urls", $"http://127.0.0.1:{FreePort.Next()}"]);
        await ExpectOneSentenceAsync(process, key);
    }

    [Theory]
    [InlineData("PushNode")]
    [InlineData("PushApi")]
    public async Task A_password_never_reaches_the_log(string program)
    {
        const string Password = "correct-horse-battery";
        await using var redis = await RedisProcess.StartNewAsync("--requirepass", Password);
        await using var process = StartOnFreePorts(program, ("ConnectionStrings:Redis", $"{redis.EndPoint},password={Password}"));
        await process.BecomesReadyAsync();
        await redis.StopAsync();
        await process.BecomesUnreadyAsync();
        process.Signal(Signals.Terminate);
        Assert.Equal(0, await process.ExitAsync());
        Assert.DoesNotContain(Password, process.Log, StringComparison.Ordinal);

        await using var wrong = StartOnFreePorts(program, ("ConnectionStrings:Redis", $"localhost:banana,password={Password}"));
        await ExpectOneSentenceAsync(wrong, "ConnectionStrings:Redis");
        Assert.DoesNotContain(Password, wrong.Log, StringComparison.Ordinal);
    }

    private static ProgramProcess StartOnFreePorts(string program, (string Key, string Value) setting)
    {
        var management = FreePort.Next();
        // No Redis listens there: a program that accepts an invalid setting keeps running, and the test times out.
        var settings = new Dictionary<string, string>
        {
            ["Management:Port"] = $"{management}",
            ["urls"] = $"http://127.0.0.1:{FreePort.Next()}",
            ["ConnectionStrings:Redis"] = $"127.0.0.1:{FreePort.Next()}",
        };
        if (program == "PushFarm")
        {
            settings.Remove("urls");
            settings["Farm:NodeUrl"] = $"http://127.0.0.1:{FreePort.Next()}";
            settings["Farm:ApiUrl"] = $"http://127.0.0.1:{FreePort.Next()}";
        }

        settings[setting.Key] = setting.Value;
        var urls = settings.Remove("urls", out var url) ? (string[])["--urls", url] : [];
        return ProgramProcess.Start(program, [.. settings.Select(pair => (pair.Key, pair.Value))], urls, managementPort: management);
    }

    private static async Task ExpectOneSentenceAsync(ProgramProcess process, string named)
    {
        var code = await process.ExitAsync();
        Assert.True(code != 0, process.Log);
        var sentence = process.Errors.Trim();
        Assert.True(sentence.Length > 0 && !sentence.Contains('\n', StringComparison.Ordinal), process.Log);
        Assert.Contains(named, sentence, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", process.Log, StringComparison.Ordinal);
    }
}
