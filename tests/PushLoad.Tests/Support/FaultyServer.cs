using System.Net.WebSockets;
using System.Text;
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
    private readonly List<(string Room, WebSocket Socket)> _members = [];
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
        _app.Map("/ws", ServeAsync);
        _app.MapPost("/v1/rooms/{room}/messages", PublishAsync);
    }

    public string ApiUrl => _app.Urls.Single();

    public string WebSocketUrl => $"ws{ApiUrl["http".Length..]}/ws";

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

    private async Task ServeAsync(HttpContext context)
    {
        if (_fault == Fault.RefuseUpgrade)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        foreach (var room in context.Request.Query["room"])
        {
            await _gate.WaitAsync();
            await SendAsync(socket, $$$"""{"type":"JOINED","data":{"room":"{{{room}}}"}}""");
            _members.Add((room!, socket));
            _gate.Release();
        }

        try
        {
            while ((await socket.ReceiveAsync(new byte[256], context.RequestAborted)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // Expected: the load generator ends without a close frame.
        }

        await _gate.WaitAsync(CancellationToken.None);
        _members.RemoveAll(member => member.Socket == socket);
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
                var members = _members.Where(member => member.Room == room).ToList();
                for (var member = 0; member < members.Count; member++)
                    await DeliverAsync(room, members[member].Socket, messages[i], before + i + 1, errs: member == 0);
            }

            return Results.Accepted();
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task DeliverAsync(string room, WebSocket socket, string message, int number, bool errs)
    {
        if (!errs || _fault == Fault.None || !IsWrong(number))
        {
            await PushAsync(room, socket, message);
            // The message that was held back follows its successor.
            if (errs && _held is { } held && held.Room == room)
            {
                _held = null;
                await PushAsync(room, socket, held.Message);
            }

            return;
        }

        switch (_fault)
        {
            case Fault.Announce:
                await SendAsync(socket, $$$"""{"type":"GAP","data":{"room":"{{{room}}}","missed":1,"reason":"slow"}}""");
                break;
            case Fault.AnnounceInVain:
                await SendAsync(socket, $$$"""{"type":"GAP","data":{"room":"{{{room}}}","missed":1,"reason":"slow"}}""");
                await PushAsync(room, socket, message);
                break;
            case Fault.Duplicate:
                await PushAsync(room, socket, message);
                await PushAsync(room, socket, message);
                break;
            case Fault.Reorder:
                _held = (room, message);
                break;
            case Fault.WrongRoom:
                await PushAsync(room, socket, message);
                await PushAsync(room == "load-0" ? "load-1" : "load-0", socket, message);
                break;
            case Fault.Garbage:
                await PushAsync(room, socket, message);
                await SendAsync(socket, "garbage");
                break;
            case Fault.Close:
                await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "retry=20", CancellationToken.None);
                break;
        }
    }

    private bool IsWrong(int number) => _fault switch
    {
        Fault.DropFirst => number <= 2,
        Fault.DropTail => number >= Wrong,
        _ => number == Wrong && _wrongs++ == 0,
    };

    private static Task PushAsync(string room, WebSocket socket, string message) =>
        SendAsync(socket, $$$"""{"type":"PUSH","data":{"room":"{{{room}}}","items":[{{{message}}}]}}""");

    private static async Task SendAsync(WebSocket socket, string text)
    {
        if (socket.State == WebSocketState.Open)
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
    }
}
