using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PushLoad.Tests.Support;

/// <summary>The mistake that a <see cref="ResumingServer"/> makes with each member that resumes.</summary>
public enum ResumeFault
{
    None,

    /// <summary>The first message after the position is left out, and the offsets say that nothing is missing.</summary>
    HiddenHole,

    /// <summary>The message before the position is sent again.</summary>
    Repeat,

    /// <summary>JOINED says recovered, but names the end.</summary>
    Lie,

    /// <summary>No position is recovered.</summary>
    Forget,

    /// <summary>What was missed is announced by a GAP instead.</summary>
    Gap,

    /// <summary>The room has no history.</summary>
    NoHistory,

    /// <summary>Every third request is published and then answered with 503.</summary>
    Unconfirmed,
}

/// <summary>
/// A small push server with the whole history of its rooms, one PUSH per message. It serves one request at a time. However late anything is, somebody
/// resumes and has missed a message: the publishing waits for the one, who waits for the other.
/// </summary>
internal sealed class ResumingServer : TestServer
{
    /// <summary>Messages of a room that do not wait for somebody who resumes.</summary>
    private const int First = 3;

    private readonly TaskCompletionSource _resumes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _misses = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ResumeFault _fault;
    private readonly Dictionary<string, List<string>> _rooms = [];
    private readonly HashSet<string> _keys = [];
    private int _requests;

    private ResumingServer(ResumeFault fault)
    {
        _fault = fault;
        App.MapPost("/v1/rooms/{room}/messages", PublishAsync);
    }

    public static async Task<ResumingServer> StartAsync(ResumeFault fault)
    {
        var server = new ResumingServer(fault);
        await server.App.StartAsync();
        return server;
    }

    protected override async Task ArriveAsync(HttpContext context)
    {
        // Who has got no message yet has no message before its position that could be repeated.
        if (!Joins(context.Request.QueryString.Value!).TrueForAll(join => join.Since > 0))
            return;
        _resumes.TrySetResult();
        await _misses.Task.WaitAsync(context.RequestAborted);
    }

    protected override async Task EnterAsync(FaultyMember member, HttpRequest request)
    {
        foreach (var (room, since) in Joins(request.QueryString.Value!))
        {
            await JoinAsync(member, room, since);
            Members.Add((room, member));
        }
    }

    /// <summary>The rooms of <c>?room=a&amp;since=E.O&amp;room=b</c>, each with the offset after it.</summary>
    private static List<(string Room, int? Since)> Joins(string query)
    {
        var joins = new List<(string Room, int? Since)>();
        foreach (var parameter in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parameter.StartsWith("room=", StringComparison.Ordinal))
                joins.Add((parameter["room=".Length..], null));
            else
                joins[^1] = (joins[^1].Room, int.Parse(parameter.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture));
        }

        return joins;
    }

    private async Task JoinAsync(FaultyMember member, string room, int? since)
    {
        var last = Room(room).Count;
        if (since is not { } from || _fault == ResumeFault.NoHistory)
        {
            var position = _fault == ResumeFault.NoHistory ? "" : $",\"epoch\":\"e1\",\"offset\":{last}";
            await member.SendAsync($$$"""{"type":"JOINED","data":{"room":"{{{room}}}"{{{(since is null ? "" : ",\"recovered\":false")}}}{{{position}}}}}""");
            return;
        }

        var at = _fault is ResumeFault.Lie or ResumeFault.Forget ? last : from;
        var recovered = _fault == ResumeFault.Forget ? "false" : "true";
        await member.SendAsync($$$"""{"type":"JOINED","data":{"room":"{{{room}}}","recovered":{{{recovered}}},"epoch":"e1","offset":{{{at}}}}}""");
        if (_fault == ResumeFault.Repeat && at > 0)
            await PushAsync(member, room, at, at - 1);
        if (_fault == ResumeFault.Gap && last > at)
        {
            await member.SendAsync(
                $$$"""{"type":"GAP","data":{"room":"{{{room}}}","missed":{{{last - at}}},"reason":"history","from":{{{At(at)}}},"to":{{{At(last)}}}}}""");
            at = last;
        }

        var skipped = _fault == ResumeFault.HiddenHole ? 1 : 0;
        for (var i = at + skipped; i < last; i++)
            await PushAsync(member, room, i + 1 - skipped, i);
        if (skipped > 0 && last > at)
            await PushAsync(member, room, last, null);
    }

    private async Task<IResult> PublishAsync(string room, HttpRequest request)
    {
        using var body = new StreamReader(request.Body);
        var messages = (await body.ReadToEndAsync()).Split('\n');
        await Gate.WaitAsync();
        try
        {
            if (request.Headers["Idempotency-Key"] is [{ } key] && !_keys.Add(key))
                return Results.Accepted();
            foreach (var message in messages)
            {
                if (Room(room).Count == First)
                    await SomebodyResumesAsync(request.HttpContext.RequestAborted);
                Room(room).Add(message);
                if (Room(room).Count > First)
                    _misses.TrySetResult();
                foreach (var (_, member) in Members.Where(entry => entry.Room == room).ToList())
                    await PushAsync(member, room, Room(room).Count, Room(room).Count - 1);
            }

            return ++_requests % 3 == 0 && _fault == ResumeFault.Unconfirmed ? Results.StatusCode(503) : Results.Accepted();
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Waits without the gate, and has it again afterwards. Without positions nobody resumes.</summary>
    private async Task SomebodyResumesAsync(CancellationToken aborted)
    {
        if (_fault == ResumeFault.NoHistory)
            return;
        Gate.Release();
        try
        {
            await _resumes.Task.WaitAsync(aborted);
        }
        finally
        {
            await Gate.WaitAsync(CancellationToken.None);
        }
    }

    /// <param name="member">Who gets it.</param>
    /// <param name="room">The room.</param>
    /// <param name="offset">The offset that it names.</param>
    /// <param name="index">Which message it is; null for one of another run.</param>
    private Task PushAsync(FaultyMember member, string room, int offset, int? index)
    {
        var position = _fault == ResumeFault.NoHistory ? "" : $",\"epoch\":\"e1\",\"offset\":{offset}";
        var item = index is { } known ? Room(room)[known] : "null";
        return member.SendAsync($$$"""{"type":"PUSH","data":{"room":"{{{room}}}"{{{position}}},"items":[{{{item}}}]}}""");
    }

    private static string At(int offset) => $$"""{"epoch":"e1","offset":{{offset}}}""";

    private List<string> Room(string room)
    {
        if (!_rooms.TryGetValue(room, out var messages))
            _rooms.Add(room, messages = []);
        return messages;
    }
}
