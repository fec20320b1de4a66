using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PushLoad.Tests.Support;

/// <summary>
/// A small push server in this process, with one PUSH per message, that makes one mistake at a fixed message of a room. It serves one request at a
/// time.
/// </summary>
internal sealed class FaultyServer : TestServer
{
    /// <summary>The number of members that it tells of every room: which answer a client reads last is chance.</summary>
    public const int Online = 7;

    /// <summary>The message at which it makes its mistake, counted from 1.</summary>
    private const int Wrong = 10;

    /// <summary>Completes when the member is back whose connection it has closed.</summary>
    private readonly TaskCompletionSource _back = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes after so many SENDs that publishing may go on.</summary>
    private readonly TaskCompletionSource _sentEnough = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Fault _fault;
    private readonly Dictionary<string, int> _count = [];
    private (string Room, string Message)? _held;
    private readonly Dictionary<string, string> _lastSend = [];
    private bool _usersErr;
    private int _sendsBeforePublish;
    private bool _hasClosed;
    private int _wrongs;
    private int _sends;

    private FaultyServer(Fault fault)
    {
        _fault = fault;
        App.MapPost("/v1/rooms/{room}/messages", (string room, HttpRequest request) => PublishAsync(room, false, request));
        App.MapPost("/v1/users/{user}/messages", (string user, HttpRequest request) => PublishAsync(user, true, request));
    }

    /// <param name="fault">Its mistake.</param>
    /// <param name="usersErr">Whether it makes it with a message to a user rather than to a room.</param>
    /// <param name="sendsBeforePublish">How many SENDs it takes before a publish: however late they come, the run is not over without them.</param>
    public static async Task<FaultyServer> StartAsync(Fault fault, bool usersErr = false, int sendsBeforePublish = 0)
    {
        var server = new FaultyServer(fault) { _usersErr = usersErr, _sendsBeforePublish = sendsBeforePublish };
        await server.App.StartAsync();
        return server;
    }

    protected override bool RefusesUpgrades => _fault == Fault.RefuseUpgrade;

    protected override async Task EnterAsync(FaultyMember member, HttpRequest request)
    {
        // Users and rooms have names of their own here.
        if (member.User is { } user)
            Members.Add((user, member));
        foreach (var room in request.Query["room"])
        {
            await member.SendAsync($$$"""{"type":"JOINED","data":{"room":"{{{room}}}"}}""");
            Members.Add((room!, member));
        }

        if (_hasClosed)
            _back.TrySetResult();
    }

    /// <summary>A SEND, or a JOIN that asks for the number of members.</summary>
    protected override async Task TakeAsync(FaultyMember sender, JsonElement request)
    {
        var (type, data) = (request.GetProperty("type").GetString(), request.GetProperty("data"));
        var room = data.GetProperty("room").GetString()!;
        await Gate.WaitAsync();
        try
        {
            if (type == "SEND")
            {
                await SendAsync(sender, room, request.GetProperty("id").GetRawText(), data.GetProperty("item").GetRawText());
            }
            else if (type == "JOIN")
            {
                Members.Add((room, sender));
                var online = data.TryGetProperty("online", out _) ? $",\"online\":{Online}" : "";
                await sender.SendAsync($$$"""{"type":"JOINED","data":{"room":"{{{room}}}"{{{online}}}}}""");
            }
        }
        finally
        {
            Gate.Release();
        }
    }

    private async Task SendAsync(FaultyMember sender, string room, string id, string item)
    {
        var isWrong = ++_sends == Wrong;
        var message = $$"""{"from":"{{(isWrong && _fault == Fault.SendForged ? "mallory" : sender.User)}}","item":{{item}}}""";
        var isRefused = _fault == Fault.SendRefused ? _sends % 2 == 0 : isWrong && _fault == Fault.SendRefusedInVain;
        if (_fault != Fault.SendRefused || !isRefused)
            await DeliverAsync(room, message, isWrong);
        // After the deliveries: a run whose SENDs are all answered may end at once.
        await sender.SendAsync(isRefused
            ? $$$"""{"type":"ERROR","id":{{{id}}},"data":{"code":"slow_mode","message":"Wait."}}"""
            : $$$"""{"type":"SENT","id":{{{id}}},"data":{"room":"{{{room}}}"}}""");
        if (_sends >= _sendsBeforePublish)
            _sentEnough.TrySetResult();
    }

    /// <summary>Delivers what a member has sent.</summary>
    private async Task DeliverAsync(string room, string message, bool isWrong)
    {
        var members = Members.Where(entry => entry.Room == room).ToList();
        for (var member = 0; member < members.Count; member++)
        {
            var errs = isWrong && member == 0;
            if (!errs || _fault != Fault.SendLost)
                await PushAsync(room, members[member].Member, errs && _fault == Fault.SendOther ? _lastSend[room] : message);
            if (errs && _fault == Fault.SendTwice)
                await PushAsync(room, members[member].Member, message);
        }

        _lastSend[room] = message;
    }

    private async Task<IResult> PublishAsync(string room, bool isUser, HttpRequest request)
    {
        using var body = new StreamReader(request.Body);
        var messages = (await body.ReadToEndAsync()).Split('\n');
        if (_sendsBeforePublish > 0)
            await _sentEnough.Task.WaitAsync(request.HttpContext.RequestAborted);
        await Gate.WaitAsync();
        try
        {
            var before = _count.GetValueOrDefault(room);
            _count[room] = before + messages.Length;
            if (_fault == Fault.Refuse && before < Wrong && _count[room] >= Wrong)
                return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
            for (var i = 0; i < messages.Length; i++)
            {
                var members = Members.Where(entry => entry.Room == room).ToList();
                for (var member = 0; member < members.Count; member++)
                    await DeliverAsync(room, members[member].Member, messages[i], before + i + 1, errs: member == 0 && isUser == _usersErr);
            }
        }
        finally
        {
            Gate.Release();
        }

        // The run must not be over before the member is back.
        if (_hasClosed)
            await _back.Task.WaitAsync(request.HttpContext.RequestAborted);
        return Results.Accepted();
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
                _hasClosed = true;
                await member.CloseAsync();
                break;
        }
    }

    private bool IsWrong(int number) => _fault switch
    {
        Fault.DropFirst => number <= 2,
        Fault.DropTail => number >= Wrong,
        >= Fault.SendLost => false,
        _ => number == Wrong && _wrongs++ == 0,
    };

    private static Task PushAsync(string room, FaultyMember member, string message) =>
        member.SendAsync($$$"""{"type":"PUSH","data":{"{{{(room == member.User ? "user" : "room")}}}":"{{{room}}}","items":[{{{message}}}]}}""");
}
