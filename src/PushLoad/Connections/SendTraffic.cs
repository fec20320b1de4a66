using PushLoad.Formats;
using PushLoad.Measurement;
using PushLoad.Messages;
using PushLoad.Plans;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// Lets connections send into their rooms in turn, at the plan's rate, each one message at a time, and keeps what the server answered. Owned by a
/// loop; one thread.
/// </summary>
internal sealed class SendTraffic
{
    /// <summary>From the end of the sending until the last answers are given up: the server answers within a few seconds.</summary>
    private const long AnswerTimeout = 10 * Clock.Second;

    private readonly LoadLoop _loop;
    private readonly LoadConnection[] _connections;
    private readonly SendTally _tally;
    private readonly SendTotal[] _totals;

    /// <summary>By connection: what is on its way; the default value if nothing is.</summary>
    private readonly SentMessage[] _asked;
    private readonly Pace _pace;
    private int _next;
    private long _number;
    private int _onTheirWay;
    private long _stoppedAt;

    public SendTraffic(LoadLoop loop, WorkerPlan plan, LoadConnection[] connections)
    {
        _loop = loop;
        _connections = connections;
        _tally = loop.Figures.Tally.Sends = new SendTally();
        _totals = new SendTotal[plan.Rooms];
        _asked = new SentMessage[connections.Length];
        _pace = new Pace(plan.SendRate / plan.Threads);
    }

    /// <summary>By room, once every SENT has come or is given up; null before.</summary>
    public SendTotal[]? Settled { get; private set; }

    /// <summary>Whether the sending has begun. Members who have joined by then are checked.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The sending begins.</summary>
    public void Begin()
    {
        HasBegun = true;
        _pace.Restart(_loop.Now);
    }

    /// <summary>The sending ends.</summary>
    public void Stop() => _stoppedAt = _loop.Now;

    /// <summary>Sends what is due, or, after the end, looks whether all answers have come.</summary>
    public void Tick()
    {
        if (_stoppedAt == 0)
        {
            SendDue();
        }
        else if (Settled is null && (_onTheirWay == 0 || _loop.Now - _stoppedAt > AnswerTimeout))
        {
            for (var index = 0; index < _asked.Length; index++)
                Lost(index);
            Settled = _totals;
        }
    }

    /// <summary>A SENT, or the ERROR of a SEND.</summary>
    /// <returns>False when it answers no SEND.</returns>
    public bool TryTake(int index, ServerMessage answer)
    {
        var asked = _asked[index];
        if (asked.Number == 0 || answer.Id != asked.Number)
            return false;
        Forget(index);
        if (answer.Type == ServerMessageType.Sent)
        {
            _tally.Accepted++;
            _totals[asked.Room] += new SendTotal(1, asked.Hash, 0);
            _loop.Figures.SentAfter.Record(_loop.Now - asked.At);
            return true;
        }

        Tally.Count(_tally.Refused, answer.Code ?? "unknown");
        if (answer.Code == "not_confirmed")
            _totals[asked.Room] += new SendTotal(0, 0, 1);
        return true;
    }

    /// <summary>The connection has ended, or the answer has not come in time.</summary>
    public void Lost(int index)
    {
        if (_asked[index].Number == 0)
            return;
        _tally.Unanswered++;
        _totals[_asked[index].Room] += new SendTotal(0, 0, 1);
        Forget(index);
    }

    /// <summary>In turn, and each connection once at most: one that waits for an answer is passed over.</summary>
    private void SendDue()
    {
        var tries = _connections.Length;
        for (; tries > 0 && _pace.Due(_loop.Now) > 0; tries--)
        {
            var index = _next;
            _next = (_next + 1) % _connections.Length;
            var connection = _connections[index];
            if (_asked[index].Number != 0 || connection is not { State: ConnectionState.Open, IsSlow: false, Rooms.FirstJoined: { } membership })
                continue;
            var message = new SentMessage(_loop.Plan.Run, membership.Room.Index, _loop.NumberOf(connection), _number + 1, _loop.Now);
            if (!_loop.Send(connection, ClientFrames.Send(message.Number, membership.Room.Name, message.Json)))
                continue;
            _number++;
            _asked[index] = message;
            _onTheirWay++;
            _tally.Sent++;
            _pace.Take();
        }
    }

    private void Forget(int index)
    {
        _asked[index] = default;
        _onTheirWay--;
    }
}
