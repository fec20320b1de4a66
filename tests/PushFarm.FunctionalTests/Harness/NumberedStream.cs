using System.Text.Json;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>
/// What one member of a room saw of the messages <c>{"n":0}</c>, <c>{"n":1}</c>...: all of them, in order, but for holes that a GAP
/// right before the next PUSH announces with the right size. Fed by one client's reading loop; anyone may read it.
/// </summary>
internal sealed class NumberedStream(string room)
{
    private int? _announced;
    private volatile string? _fault;
    private int _next;
    private int _frames;
    private int _missed;

    /// <summary>The number after the last one received.</summary>
    public int Next => Volatile.Read(ref _next);

    public int Frames => Volatile.Read(ref _frames);

    /// <summary>The sum of what the GAPs announced.</summary>
    public int Missed => Volatile.Read(ref _missed);

    /// <summary>The first thing that was wrong.</summary>
    public string? Fault => _fault;

    public void Take(ServerMessage message)
    {
        if (message.Type == "GAP" && message.Room == room)
        {
            var missed = message.Data.GetProperty("missed");
            if (missed.ValueKind != JsonValueKind.Number || missed.GetInt32() < 1 || message.Data.GetProperty("reason").GetString() != "slow")
                _fault ??= $"an unexpected gap after {Next - 1}: {message}";
            else
                _announced = (_announced ?? 0) + missed.GetInt32();
        }
        else if (message.Type == "PUSH" && message.Room == room)
        {
            TakePush(message);
        }
    }

    private void TakePush(ServerMessage push)
    {
        var next = _next + (_announced ?? 0);
        Volatile.Write(ref _missed, _missed + (_announced ?? 0));
        foreach (var number in push.Numbers)
        {
            if (number != next)
                _fault ??= $"{number} in place of {next}, announced gap {_announced?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}";
            next = number + 1;
        }

        _announced = null;
        Volatile.Write(ref _frames, _frames + 1);
        Volatile.Write(ref _next, next);
    }
}
