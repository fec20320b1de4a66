using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PushLoad.Tests.Support;

/// <summary>
/// A small push server in this process, with one PUSH per message, that makes one mistake at a fixed message of a room. It serves one request at a
/// time.
/// </summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    /// <summary>The message at which it makes its mistake, counted from 1.</summary>
    private const int Wrong = 10;

    private readonly WebApplication _app;
    private readonly Fault _fault;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<(string Room, FaultyMember Member)> _members = [];
    private readonly Dictionary<string, int> _count = [];
    private (string Room, string Message)? _held;
    private int _wrongs;

    private FaultyServer(Fault fault)
    {
        _fault = fault;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Map("/ws", ServeWebSocketAsync);
        _app.MapGet("/sse", context => ServeHttpAsync(context, events: true));
        _app.MapGet("/stream", context => ServeHttpAsync(context, events: false));
        _app.MapPost("/v1/rooms/{room}/messages", PublishAsync);
    }

    public string ApiUrl => _app.Urls.Single();

    public string WebSocketUrl => $"ws{ApiUrl["http".Length..]}/ws";

    /// <param name="protocol">What the load generator's <c>--protocol</c> accepts.</param>
    public string UrlOf(string protocol) => protocol is "sse" or "stream" ? $"{ApiUrl}/{protocol}" : WebSocketUrl;

    public static async Task<FaultyServer> StartAsync(Fault fault)
    {
        var server = new FaultyServer(fault);
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _gate.Dispose();
    }

    private async Task ServeWebSocketAsync(HttpContext context)
    {
        if (_fault == Fault.RefuseUpgrade)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var protocol = context.WebSockets.WebSocketRequestedProtocols.SingleOrDefault();
        using var socket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { SubProtocol = protocol, DangerousEnableCompression = true, DisableServerContextTakeover = true });
        await ServeAsync(context, new WebSocketMember(socket, messagePack: protocol is not null));
    }

    private Task ServeHttpAsync(HttpContext context, bool events)
    {
        context.Response.ContentType = events ? "text/event-stream" : "application/x-ndjson";
        return ServeAsync(context, new HttpMember(context.Response, events));
    }

    private async Task ServeAsync(HttpContext context, FaultyMember member)
    {
        foreach (var room in context.Request.Query["room"])
        {
            await _gate.WaitAsync();
            await member.SendAsync($$$"""{"type":"JOINED","data":{"room":"{{{room}}}"}}""");
            _members.Add((room!, member));
            _gate.Release();
        }

        await member.WaitAsync(context.RequestAborted);
        await _gate.WaitAsync(CancellationToken.None);
        _members.RemoveAll(entry => entry.Member == member);
        _gate.Release();
    }

    private async Task<IResult> PublishAsync(string room, HttpRequest request)
    {
        using var body = new StreamReader(request.Body);
        var messages = (await body.ReadToEndAsync()).Split('\n');
        await _gate.WaitAsync();
        try
        {
            var before = _count.GetValueOrDefault(room);
            _count[room] = before + messages.Length;
            if (_fault == Fault.Refuse && before < Wrong && _count[room] >= Wrong)
                return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
            for (var i = 0; i < messages.Length; i++)
            {
                var members = _members.Where(entry => entry.Room == room).ToList();
                for (var member = 0; member < members.Count; member++)
                    await DeliverAsync(room, members[member].Member, messages[i], before + i + 1, errs: member == 0);
            }

            return Results.Accepted();
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task DeliverAsync(string room, FaultyMember member, string message, int number, bool errs)
    {
        if (!errs || _fault == Fault.None || !IsWrong(number))
        {
            await PushAsync(room, member, message);
            // The message that was held back follows its successor.
            if (errs && _held is { } held && held.Room == room)
            {
                _held = null;
                await PushAsync(room, member, held.Message);
            }

            return;
        }

        switch (_fault)
        {
            case Fault.Announce:
                await member.SendAsync($$$"""{"type":"GAP","data":{"room":"{{{room}}}","missed":1,"reason":"slow"}}""");
                break;
            case Fault.AnnounceInVain:
                await member.SendAsync($$$"""{"type":"GAP","data":{"room":"{{{room}}}","missed":1,"reason":"slow"}}""");
                await PushAsync(room, member, message);
                break;
            case Fault.Duplicate:
                await PushAsync(room, member, message);
                await PushAsync(room, member, message);
                break;
            case Fault.Change:
                await PushAsync(room, member, $"{message[..^3]}#{message[^2..]}");
                break;
            case Fault.ChangeTime:
                await PushAsync(room, member, message.Replace("\"t\":", "\"t\":1", StringComparison.Ordinal));
                break;
            case Fault.Reorder:
                _held = (room, message);
                break;
            case Fault.WrongRoom:
                await PushAsync(room, member, message);
                await PushAsync(room == "load-0" ? "load-1" : "load-0", member, message);
                break;
            case Fault.Garbage:
                await PushAsync(room, member, message);
                await member.SendAsync("""{"kind":"garbage"}""");
                break;
            case Fault.Close:
                await member.CloseAsync();
                break;
        }
    }

    private bool IsWrong(int number) => _fault switch
    {
        Fault.DropFirst => number <= 2,
        Fault.DropTail => number >= Wrong,
        _ => number == Wrong && _wrongs++ == 0,
    };

    private static Task PushAsync(string room, FaultyMember member, string message) =>
        member.SendAsync($$$"""{"type":"PUSH","data":{"room":"{{{room}}}","items":[{{{message}}}]}}""");
}
