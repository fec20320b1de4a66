using System.Net;
using System.Text.RegularExpressions;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Who gets the live room's files, and who may publish and drain with it.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed partial class LiveRoomAccessTests(FarmFixture fixture)
{
    [Theory]
    [InlineData(NodeTransport.Epoll)]
    [InlineData(NodeTransport.Stream)]
    public async Task The_page_and_its_files_are_on_the_clients_port(NodeTransport transport)
    {
        var farm = fixture.Over(transport);
        var page = await Http.GetAsync(farm.NodePort, "/");
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.Status, page.MediaType));
        Assert.Equal(
            $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {farm.ApiUrl}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            page.Headers["Content-Security-Policy"]);
        Assert.Equal(("nosniff", "no-cache"), (page.Headers["X-Content-Type-Options"], page.Headers["Cache-Control"]));

        var files = References().Matches(page.Body).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.Contains("live/redispush.js", files);
        foreach (var file in files.Append("live/settings.json"))
            Assert.Equal((file, HttpStatusCode.OK), (file, (await Http.GetAsync(farm.NodePort, $"/{file}")).Status));

        // What the browser has, it does not get again.
        using var again = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{farm.NodePort}/"));
        again.Headers.Add("If-None-Match", page.Headers["ETag"]);
        Assert.Equal(HttpStatusCode.NotModified, (await Http.SendAsync(again)).Status);
    }

    [Fact]
    public async Task The_page_has_no_inline_scripts_and_styles_and_names_no_other_host()
    {
        var page = (await Http.GetAsync(fixture.Farm.NodePort, "/")).Body;
        Assert.DoesNotMatch("<script(?![^>]* src=)|<style|\\son[a-z]+=|\\sstyle=", page);
        foreach (var path in References().Matches(page).Select(match => match.Groups[1].Value).Distinct())
        {
            var file = (await Http.GetAsync(fixture.Farm.NodePort, $"/{path}")).Body;
            Assert.DoesNotMatch("(https?|wss?):(?://)(?!www\\.w3\\.org/2000/svg)[a-z0-9]", file);
        }
    }

    [Theory]
    [InlineData("POST", "/")]
    [InlineData("PUT", "/live/app.js")]
    [InlineData("OPTIONS", "/live/settings.json")]
    public async Task The_files_accept_GET_and_HEAD_only(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"http://127.0.0.1:{fixture.Farm.NodePort}{path}"));
        var answer = await Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD"), (answer.Status, answer.Headers["Allow"]));
    }

    [Fact]
    public async Task Each_half_stays_on_its_port()
    {
        var farm = fixture.Farm;
        foreach (var (port, path) in ((int, string)[])[(farm.ApiPort, "/"), (farm.ApiPort, "/live/app.js"), (farm.NodePort, "/live/none.js"), (farm.ManagementPort, "/live/app.js")])
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await Http.GetAsync(port, path)).Status));
        foreach (var path in (string[])["/live/drain", "/live/token"])
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await Http.PostAsync(farm.NodePort, path, Http.Json, """{"name":"alice"}""")).Status));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}", true)]
    [InlineData("http://localhost:{0}", true)]
    [InlineData("http://[::1]:{0}", true)]
    [InlineData("http://127.0.0.1:1", false)]
    [InlineData("http://127.0.0.1", false)]
    [InlineData("https://127.0.0.1:{0}", false)]
    [InlineData("http://evil.example:{0}", false)]
    [InlineData("null", false)]
    public async Task Only_the_pages_own_origin_may_publish_and_drain(string form, bool isOwn)
    {
        // Its own farm: a drain would close the clients of other tests.
        await using var farm = await ProgramProcess.StartFarmAsync();
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        var origin = string.Format(null, form, farm.NodePort);
        foreach (var (path, status) in ((string, HttpStatusCode)[])
            [("/v1/rooms/demo/messages", HttpStatusCode.Accepted), ("/live/token", HttpStatusCode.OK), ("/live/drain", HttpStatusCode.Accepted)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{farm.ApiUrl}{path}")) { Content = new StringContent("""{"name":"alice"}""") };
            request.Headers.Add("Origin", origin);
            var answer = await Http.SendAsync(request);
            Assert.Equal((path, isOwn ? status : HttpStatusCode.Forbidden), (path, answer.Status));
            Assert.Equal(isOwn ? origin : null, answer.Headers.GetValueOrDefault("Access-Control-Allow-Origin"));
        }

        if (!isOwn)
        {
            await client.PingAsync();
            return;
        }

        Assert.Equal(1001, (await client.EndAsync()).Code);
        // The node accepts clients again by itself.
        await farm.BecomesReadyAsync();
        await using var next = await WsClient.ConnectAsync(farm.NodePort);
        await next.PingAsync();
    }

    [Fact]
    public async Task While_the_node_drains_there_is_no_other_drain()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Connections:CloseTimeout", "00:01:00"));
        // It does not answer the close frame, so the drain lasts until it is gone.
        using var silent = await RawClient.UpgradeAsync(new IPEndPoint(IPAddress.Loopback, farm.NodePort));
        Assert.Equal(HttpStatusCode.Accepted, (await Http.PostAsync(farm.ApiPort, "/live/drain", Http.Text, "")).Status);
        var refused = await Http.PostAsync(farm.ApiPort, "/live/drain", Http.Text, "");
        Assert.Equal((HttpStatusCode.Conflict, "The node is already draining.\n"), (refused.Status, refused.Body));
        silent.Reset();
        await farm.BecomesReadyAsync();
    }

    [Fact]
    public async Task Turned_off_there_is_no_page_and_no_drain_and_no_page_may_publish()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:LiveRoom:Enabled", "false"));
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(farm.NodePort, "/")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(farm.NodePort, "/live/settings.json")).Status);
        foreach (var path in (string[])["/live/drain", "/live/token"])
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await Http.PostAsync(farm.ApiPort, path, Http.Json, """{"name":"alice"}""")).Status));
        Assert.DoesNotContain("live room", farm.Output, StringComparison.Ordinal);

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{farm.ApiUrl}/v1/rooms/demo/messages")) { Content = new StringContent("hello") };
        request.Headers.Add("Origin", $"http://127.0.0.1:{farm.NodePort}");
        Assert.Equal(HttpStatusCode.Forbidden, (await Http.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Another_API_is_named_by_a_setting()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:LiveRoom:ApiUrl", "https://push.example.com/api/"), ("Push:Compression:Enabled", "false"));
        var settings = (await Http.GetAsync(farm.NodePort, "/live/settings.json")).JsonBody;
        Assert.Equal("https://push.example.com/api", settings.GetProperty("api").GetString());
        Assert.Equal("null", settings.GetProperty("pages").GetRawText());
        Assert.Equal((1000, 50, 0), (settings.GetProperty("windowMs").GetInt32(), settings.GetProperty("gatherMs").GetInt32(), settings.GetProperty("deflateFrom").GetInt32()));
        Assert.Contains("connect-src 'self' https://push.example.com;", (await Http.GetAsync(farm.NodePort, "/")).Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    /// <summary>As from another machine: at an address that is not one of the API's.</summary>
    [Fact]
    public async Task Opened_at_another_address_the_page_watches_and_says_why()
    {
        var port = FreePort.Next();
        await using var farm = await ProgramProcess.StartFarmAsync(("Farm:NodeUrl", $"http://*:{port}"));
        // Less motion: a comment stays in a list, and does not fly by unseen.
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, $"http://127.0.0.2:{port}/", new BrowserView(ReducedMotion: true));
        await page.HoldsAsync($"document.getElementById('notice').textContent === 'This page can only watch: it may publish when opened as http://localhost:{port}.'");
        Assert.True(await page.EvaluateAsync<bool>("['text', 'send', 'storm'].every(id => document.getElementById(id).disabled) && document.getElementById('drain').hidden"));
        await page.HoldsAsync("document.querySelector('.state.joined')");
        await Http.PublishAsync(farm, "live", "\"hello\"");
        await page.HoldsAsync("document.querySelectorAll('#list li').length === 1");
        Assert.Empty(await page.ErrorsAsync());
    }

    [Fact]
    public async Task The_pages_own_room_has_a_history_unless_there_are_policies_of_rooms()
    {
        await using var other = await ProgramProcess.StartFarmAsync(("Rooms:0:Pattern", "live"), ("Rooms:0:SlowMode", "00:00:01"));
        (ProgramProcess Farm, string Room, bool IsKept)[] expected = [(fixture.Farm, "live", true), (fixture.Farm, "demo", false), (other, "live", false)];
        foreach (var (farm, room, isKept) in expected)
            Assert.Equal((room, isKept), (room, (await Http.GetAsync(farm.ApiPort, $"/v1/rooms/{room}/messages")).Status == HttpStatusCode.OK));
    }

    [GeneratedRegex("(?:href|src)=\"(live/[^\"]+)\"")]
    private static partial Regex References();
}
