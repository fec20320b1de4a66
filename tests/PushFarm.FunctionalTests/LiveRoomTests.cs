using System.Diagnostics;
using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Browsers;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests;

/// <summary>What a reader sees and does in the live room.</summary>
public abstract class LiveRoomTests(LiveRoomFixture room) : IAsyncDisposable
{
    /// <summary>In every test: no error in the console, no violation of the page's policy, no failed request.</summary>
    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await room.ErrorsAsync());
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_first_comment_flies_without_a_click()
    {
        await room.GoToAsync(room.Url);
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("flying")} > 0 && {LiveRoomFixture.Number("received")} > 0");
        await room.Page.HoldsAsync("document.getElementById('spoken').textContent !== ''");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("fps")} > 0");
    }

    [Fact]
    public async Task A_reader_publishes_with_the_keyboard_alone()
    {
        var name = await room.EnterAsync();
        await using var member = await WsClient.ConnectAsync(room.Farm.NodePort);
        await member.JoinAsync(name);

        await room.Page.PressAsync("Tab");
        await room.Page.PressAsync("Enter");
        await room.Page.TypeAsync("dobrý večer");
        await room.Page.PressAsync("Enter");
        Assert.Contains("\"text\":\"dobrý večer\"", (await member.NextItemsAsync(name, 1)).Single(), StringComparison.Ordinal);
        await room.SettlesAsync();
        await room.Page.HoldsAsync("document.getElementById('spoken').textContent.includes('dobrý večer')");
        Assert.Equal((1, 0), (await room.NumberAsync("received"), await room.NumberAsync("missed")));
    }

    [Fact]
    public async Task A_reader_sends_under_a_name_and_changes_it()
    {
        var name = await room.EnterAsync();
        await using var member = await WsClient.ConnectAsync(room.Farm.NodePort);
        await member.JoinAsync(name);
        await ShowListAsync();
        Assert.Matches("^guest-[0-9]{4}$", await room.Page.EvaluateAsync<string>("document.getElementById('name').value"));

        foreach (var (user, text) in ((string, string)[])[("Жoфie <b>", "<i>first</i>"), ("bob", "second")])
        {
            await room.Page.EvaluateAsync<object?>("document.getElementById('name').select()");
            await room.Page.TypeAsync(user);
            await room.Page.PressAsync("Enter");
            await SayAsync(text);
            var item = JsonDocument.Parse((await member.NextItemsAsync(name, 1)).Single()).RootElement;
            Assert.Equal((user, text), (item.GetProperty("from").GetString(), item.GetProperty("item").GetProperty("text").GetString()));
            await room.Page.HoldsAsync($"[...document.querySelectorAll('#list li.own')].some(line => line.textContent === {WsClient.Quote($"\u2068{user}\u2069: {text}")})");
        }

        await room.SettlesAsync();
        Assert.Equal((2, 0), (await room.NumberAsync("received"), await room.NumberAsync("missed")));
        await room.EnterAsync();
        Assert.Equal("bob", await room.Page.EvaluateAsync<string>("document.getElementById('name').value"));
        await room.Page.EvaluateAsync<object?>("localStorage.clear()");
    }

    [Fact]
    public async Task Slow_mode_counts_down_and_keeps_the_comment()
    {
        await room.EnterAsync(LiveRoomFixture.SlowRoom);
        await SayAsync("first");
        await room.SettlesAsync();
        await SayAsync("second");
        await room.Page.HoldsAsync("/^Slow mode: your next comment in [0-9]+ s\\.$/.test(document.getElementById('notice').textContent)");
        await room.Page.HoldsAsync("document.getElementById('text').value === 'second'");
        var notice = await room.Page.EvaluateAsync<string>("document.getElementById('notice').textContent");
        await room.Page.HoldsAsync($"document.getElementById('notice').textContent !== {WsClient.Quote(notice)}");
        Assert.Equal((1, 1), (await room.NumberAsync("sent"), await room.NumberAsync("received")));
    }

    [Fact]
    public async Task A_storm_is_counted_to_the_message()
    {
        var name = await room.EnterAsync();
        var count = 0;
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var member = await WsClient.ConnectAsync(room.Farm.NodePort, $"/ws?room={name}", new WsOptions
        {
            OnMessage = message =>
            {
                if (message.Type == "JOINED")
                    joined.TrySetResult();
                Interlocked.Add(ref count, message.Type == "PUSH" ? message.Items.Count() : 0);
            },
        });
        await Eventually.CompletesAsync(joined.Task, "JOINED");

        var clock = Stopwatch.StartNew();
        await room.StormAsync("End");
        Assert.Equal("1000 messages a second", await room.Page.EvaluateAsync<string>("document.getElementById('storm').getAttribute('aria-valuetext')"));
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("received")} > 2500");
        await room.StormAsync("Home");
        await room.SettlesAsync();

        var sent = await room.NumberAsync("sent");
        Assert.Equal((sent, 0), (await room.NumberAsync("received"), await room.NumberAsync("missed")));
        Assert.Equal(sent, await room.NumberAsync("messages-total"));
        await Eventually.HoldsAsync(() => Volatile.Read(ref count) == (int)sent, "another member has them all", () => $"{count} of {sent}");
        // One a second, and more of a page that makes up for a pause: a batch may be full before.
        Assert.True(await room.NumberAsync("frames-total") < (sent / 100) + clock.Elapsed.TotalSeconds, "Frames have many messages.");
    }

    /// <summary>Otherwise a page whose API is slow would seem to have sent everything.</summary>
    [Fact]
    public async Task A_message_waits_until_the_API_has_answered()
    {
        await room.EnterAsync();
        await room.Page.EvaluateAsync<object?>("""
            (send => {
              const asked = new Promise(go => { window.answer = go; });
              window.fetch = async (...request) => {
                const storm = document.getElementById('storm');
                storm.value = 0;
                storm.dispatchEvent(new Event('input'));
                const answer = await send(...request);
                await asked;
                return answer;
              };
            })(window.fetch)
            """);
        await room.StormAsync("ArrowRight");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("received")} > 0");
        Assert.Equal((await room.NumberAsync("received"), 0), (await room.NumberAsync("waiting"), await room.NumberAsync("sent")));

        await room.Page.EvaluateAsync<object?>("window.answer()");
        await room.SettlesAsync();
        Assert.Equal(0, await room.NumberAsync("missed"));
    }

    /// <summary>Every third answer of the API does not reach the page, which has to ask again.</summary>
    [Fact]
    public async Task A_lost_answer_loses_nothing_and_repeats_nothing()
    {
        await room.EnterAsync();
        await room.Page.EvaluateAsync<object?>("""
            (send => {
              let count = 0;
              window.lost = 0;
              window.fetch = async (...request) => {
                const answer = await send(...request);
                if (++count % 3 === 0 && ++window.lost) throw new TypeError('The answer is lost.');
                return answer;
              };
            })(window.fetch)
            """);
        await room.StormAsync("End");
        await room.Page.HoldsAsync("window.lost >= 2");
        await room.Page.HoldsAsync("document.getElementById('notice').textContent.includes('does not answer')");
        await room.StormAsync("Home");
        await room.SettlesAsync();
        Assert.Equal((0, await room.NumberAsync("sent")), (await room.NumberAsync("missed"), await room.NumberAsync("messages-total")));
    }

    [Fact]
    public async Task A_drain_loses_none_of_the_pages_messages()
    {
        await room.EnterAsync();
        await room.StormAsync("End");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("received")} > 100");
        await room.Page.ClickAsync("#drain");
        await room.Page.HoldsAsync("document.querySelector('[data-step=back].done')");
        Assert.Equal("drain", await room.Page.EvaluateAsync<string>("document.activeElement.id"));
        await room.StormAsync("Home");
        await room.SettlesAsync();

        Assert.Contains("none was lost", await room.Page.EvaluateAsync<string>("document.getElementById('drained-text').textContent"), StringComparison.Ordinal);
        Assert.Equal((1, 1, 0), (await room.NumberAsync("reconnects"), await room.NumberAsync("gaps"), await room.NumberAsync("missed")));
        Assert.Equal(await room.NumberAsync("sent"), await room.NumberAsync("messages-total"));
    }

    [Fact]
    public async Task A_drain_of_a_room_with_history_loses_nothing_of_others()
    {
        var name = await room.EnterAsync(LiveRoomFixture.KeptRoom);
        using var stop = new CancellationTokenSource();
        var publishing = PublishAsync();
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("messages-total")} > 5");
        await room.StormAsync("ArrowRight");
        await room.Page.ClickAsync("#drain");
        await room.Page.HoldsAsync("document.querySelector('[data-step=back].done')");
        await room.StormAsync("Home");
        await room.SettlesAsync();
        await stop.CancelAsync();
        var others = await publishing;

        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("messages-total")} === {LiveRoomFixture.Number("sent")} + {others}");
        Assert.Equal((1, 0, 0), (await room.NumberAsync("reconnects"), await room.NumberAsync("gaps"), await room.NumberAsync("missed")));
        var report = await room.Page.EvaluateAsync<string>("document.getElementById('drained-text').textContent");
        Assert.Matches("Of its comments none was lost. Others published [0-9,]+ comments in that time, and none of those was lost either", report);

        async Task<int> PublishAsync()
        {
            for (var count = 0; ; count++)
            {
                if (stop.IsCancellationRequested)
                    return count;
                await Http.PublishAsync(room.Farm, name, """{"text":"of another"}""");
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task A_reader_changes_the_room_and_goes_back()
    {
        var first = await room.EnterAsync();
        await ChooseAsync("a/b");
        await room.Page.HoldsAsync("document.getElementById('room-problem').textContent.includes('slash')");
        Assert.Equal("true", await room.Page.EvaluateAsync<string>("document.getElementById('room').getAttribute('aria-invalid')"));

        await Http.PublishAsync(room.Farm, first, "\"before\"");
        await room.Page.HoldsAsync("document.getElementById('deflated').textContent !== '–'");
        await ChooseAsync("默认房间");
        await room.Page.HoldsAsync("document.getElementById('deflated').textContent === '–'");
        await room.Page.HoldsAsync("location.hash === '#room=' + encodeURIComponent('默认房间') && document.querySelector('.state.joined')");
        await Http.PublishAsync(room.Farm, "默认房间", "\"here\"");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("messages-total")} === 1");

        await room.Page.EvaluateAsync<object?>("history.back()");
        await room.Page.HoldsAsync($"document.getElementById('room').value === {WsClient.Quote(first)} && document.querySelector('.state.joined')");
        await Http.PublishAsync(room.Farm, "默认房间", "\"not here\"");
        await Http.PublishAsync(room.Farm, first, "\"here\"");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("messages-total")} === 1");
    }

    [Fact]
    public async Task Messages_of_strangers_are_shown_as_short_plain_text()
    {
        var name = await room.EnterAsync();
        await ShowListAsync();
        foreach (var json in (string[])
        [
            """{"text":"<img src=x onerror=alert(1)>"}""", """{"a":[1,null,"<b>"]}""", "null", "-0", """{"text":{"text":"nested"}}""", "\"\"",
            """{"text":"one\ntwo\u0000\u001b[31m three"}""", """{"text":"\u202eabc\u2066def\u200b"}""", """{"text":"\ud83d"}""",
            $$"""{"text":"{{new string('x', 60_000)}}"}""", $$"""{"text":"z{{string.Concat(Enumerable.Repeat("\\u0301", 300))}}!"}""",
            """{"text":"forged","from":"x","n":0}""", """{"from":{},"n":"1"}""",
            """{"from":"\u202e<b>x</b>\u2069\n","item":{"text":"<img src=x>"}}""", $$"""{"from":"{{new string('y', 128)}}","item":[1]}""", """{"from":"","item":null}""",
        ])
        {
            await Http.PublishAsync(room.Farm, name, json);
            // One at a time: a list shows a sample of a larger batch.
            await room.Page.HoldsAsync("document.getElementById('list').childElementCount > (window.listed ?? 0)");
            await room.Page.EvaluateAsync<object?>("window.listed = document.getElementById('list').childElementCount");
        }

        string[] expected =
        [
            "<img src=x onerror=alert(1)>", """{"a":[1,null,"<b>"]}""", "null", "0", """{"text":{"text":"nested"}}""", "(empty)",
            "one two [31m three", "abcdef", "\ufffd", new string('x', 80) + "…", "z\u0301\u0301\u0301!", "forged", """{"from":{},"n":"1"}""",
            "\u2068<b>x</b>\u2069: <img src=x>", $"\u2068{new string('y', 24)}…\u2069: [1]", "\u2068(empty)\u2069: null",
        ];
        var lines = await room.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('#list li')].map(line => line.textContent)");
        Assert.Equal(expected, lines);
        Assert.Equal(0, await room.Page.EvaluateAsync<int>("document.querySelectorAll('#list :not(li)').length"));
        Assert.Equal((0, 16), (await room.NumberAsync("received"), await room.NumberAsync("messages-total")));
        await room.Page.EvaluateAsync<object?>("localStorage.clear()");
    }

    [Theory]
    [InlineData(320, 568)]
    [InlineData(390, 844)]
    [InlineData(1440, 900)]
    public async Task Nothing_is_wider_than_the_window(int width, int height)
    {
        await room.EnterAsync();
        await room.Page.ResizeAsync(width, height);
        await room.Page.EvaluateAsync<object?>("document.getElementById('drained').hidden = false");
        await room.StormAsync("End");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("received")} > 0");
        Assert.Empty(await room.Page.EvaluateAsync<string[]>(
            "[...document.querySelectorAll('body *')].filter(element => !element.closest('.stage, datalist, .skip, pre') && element.getBoundingClientRect().right > innerWidth + 1)"
            + ".map(element => element.outerHTML)"));
        Assert.True(await room.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        await room.Page.ResizeAsync(1280, 800);
    }

    /// <summary>The places of all parts of the page, with the figures of a bad day and without.</summary>
    [Fact]
    public async Task Nothing_moves_for_long_figures()
    {
        await room.EnterAsync();
        const string Boxes = """
            [...document.querySelectorAll('.bar > *, .stage, .controls > *, .tile, .tile > *, .terminal')].map(element => {
              const { x, y } = element.getBoundingClientRect();
              return `${element.id || element.className || element.parentElement.innerText.split('\n')[0] + ' ' + element.nodeName}: ${x}, ${y}`;
            })
            """;
        var calm = await room.Page.EvaluateAsync<string[]>(Boxes);
        var wild = await room.Page.EvaluateAsync<string[]>($$"""
            (() => {
              const texts = {
                state: 'back in 12.3 s', online: '123,456 online', notice: 'Not sent: the node is busy with other messages.',
                messages: '12,345', 'messages-total': '12,345,678', drawn: '1,234', frames: '123.4', 'frames-total': '1,234,567', ratio: '12,345',
                deflated: '123.4 MB', plain: '1,234.5 MB', rest: '100.5 %', latency: '10,000 ms', 'latency-high': '10,000 ms',
                sent: '1,234,567', waiting: '12,345', 'on-the-way': '12,345', received: '1,234,567', missed: '12,345', unconfirmed: '12,345', repeated: '12',
                gaps: '1,234', 'gap-last': 'The last: 1,234,567 messages, because the node lost Redis for a while.',
                reconnects: '1,234', 'reconnect-last': 'The last took 123.4 s, from the lost connection to the joined room.',
                fps: '144', flying: '1,234', slowest: '12,345 ms',
              };
              for (const [id, text] of Object.entries(texts))
                document.getElementById(id).textContent = text;
              return {{Boxes}};
            })()
            """);
        Assert.Equal(calm.Length, wild.Length);
        var moved = calm.Zip(wild).Where(pair => pair.First != pair.Second).Select(pair => $"{pair.First} -> {pair.Second}").ToList();
        Assert.True(moved.Count == 0, string.Join("\n", moved));
    }

    [Fact]
    public async Task The_colours_follow_the_reader_and_stay()
    {
        await room.EnterAsync();
        const string Background = "getComputedStyle(document.documentElement).backgroundColor";
        var light = await room.Page.EvaluateAsync<string>(Background);
        await room.Page.ClickAsync("#theme");
        var dark = await room.Page.EvaluateAsync<string>(Background);
        Assert.NotEqual(light, dark);
        await room.EnterAsync();
        Assert.Equal(dark, await room.Page.EvaluateAsync<string>(Background));
        await room.Page.EvaluateAsync<object?>("localStorage.clear()");
    }

    [Fact]
    public async Task A_reader_who_prefers_dark_colours_and_less_motion_gets_them()
    {
        await using var page = await BrowserPage.OpenAsync(room.Kind, room.Url, new BrowserView(Dark: true, ReducedMotion: true));
        await page.HoldsAsync("document.querySelectorAll('#list li').length > 0");
        Assert.Equal("dark", await page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        Assert.Equal(0, await page.EvaluateAsync<double>(LiveRoomFixture.Number("flying")));
        Assert.Empty(await page.ErrorsAsync());
    }

    private async Task ShowListAsync() => await room.Page.EvaluateAsync<object?>(
        "document.getElementById('motion').getAttribute('aria-pressed') === 'true' || document.getElementById('motion').click()");

    private async Task SayAsync(string text)
    {
        await room.Page.EvaluateAsync<object?>("document.getElementById('text').focus()");
        await room.Page.TypeAsync(text);
        await room.Page.PressAsync("Enter");
    }

    private async Task ChooseAsync(string name)
    {
        await room.Page.EvaluateAsync<object?>("document.getElementById('room').select()");
        await room.Page.TypeAsync(name);
        await room.Page.PressAsync("Enter");
    }

    /// <summary>Lanes are placed in the page's own module, with comments of random widths at random times.</summary>
    [Fact]
    public async Task Comments_of_a_lane_do_not_overlap()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await room.EnterAsync();
        Assert.Equal("", await room.Page.EvaluateAsync<string>($$"""
            (async () => {
              const { Gap, Lanes } = await import('/live/lanes.js');
              let state = {{seed}} >>> 0;
              const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
              const lanes = new Lanes();
              let width = 1000, flying = [], entered = 0;
              lanes.resize(7, width);
              for (let frame = 0; frame < 20000; frame++) {
                if (random() < 0.001) lanes.resize(1 + Math.floor(random() * 12), width = 300 + random() * 1500);
                const step = random() * 12;
                lanes.advance(step);
                for (const comment of flying) comment.x -= step * lanes.tempo(comment.lane);
                flying = flying.filter(({ x, width, lane }) => x + width > 0 && lane < lanes.count);
                const lane = lanes.free();
                if (lane >= 0) {
                  const comment = { lane, x: width, width: 20 + random() * 900 };
                  lanes.enter(lane, comment.width);
                  flying.push(comment);
                  entered++;
                }
                for (const one of flying)
                  for (const other of flying)
                    if (one !== other && one.lane === other.lane && one.x <= other.x && one.x + one.width + Gap > other.x + 0.001)
                      return `frame ${frame}: ${JSON.stringify([one, other])}`;
              }
              return entered > 100 ? '' : `only ${entered} entered`;
            })()
            """));
    }
}

/// <summary>In Chromium, which also measures layout shifts.</summary>
public sealed class LiveRoomChromiumTests(ChromiumLiveRoom room) : LiveRoomTests(room), IClassFixture<ChromiumLiveRoom>
{
    [Fact]
    public async Task Nothing_moves_when_figures_change()
    {
        await room.EnterAsync();
        await room.StormAsync("End");
        await room.Page.HoldsAsync($"{LiveRoomFixture.Number("received")} > 1000");
        await room.Page.ClickAsync("#drain");
        await room.Page.HoldsAsync("document.querySelector('[data-step=back].done')");
        Assert.Equal("", await room.Page.EvaluateAsync<string>("""
            new Promise(resolve => {
              const shifts = [];
              const at = box => `${box.x},${box.y} ${box.width}x${box.height}`;
              const named = source => `${source.node?.id || source.node?.className || source.node?.nodeName} `
                + `${at(source.previousRect)} -> ${at(source.currentRect)}`;
              const add = entries => shifts.push(...entries.map(entry =>
                `${Math.round(entry.startTime)} ms, ${entry.value}: ${entry.sources.map(named).join('; ')}`));
              const observer = new PerformanceObserver(list => add(list.getEntries()));
              observer.observe({ type: 'layout-shift', buffered: true });
              requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
                add(observer.takeRecords());
                resolve(shifts.join('\n'));
              })));
            })
            """));
    }
}

/// <summary>In Firefox.</summary>
public sealed class LiveRoomFirefoxTests(FirefoxLiveRoom room) : LiveRoomTests(room), IClassFixture<FirefoxLiveRoom>;
