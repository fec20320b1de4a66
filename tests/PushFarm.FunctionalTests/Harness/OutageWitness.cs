using System.Text.Json;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>What one member of a room saw of numbered messages while the backplane went away and came back. Fed by one reading loop.</summary>
internal sealed class OutageWitness(string room)
{
    /// <summary>Stands for a GAP among the numbers.</summary>
    private const int Gap = -1;

    private readonly Lock _lock = new();
    private readonly List<int> _seen = [];
    private string? _wrongGap;

    public void Take(ServerMessage message)
    {
        if (message.Room != room)
            return;
        lock (_lock)
        {
            if (message.Type == "PUSH")
            {
                _seen.AddRange(message.Numbers);
            }
            else if (message.Type == "GAP")
            {
                _seen.Add(Gap);
                if (message.Data.GetProperty("reason").GetString() != "backplane" || message.Data.GetProperty("missed").ValueKind != JsonValueKind.Null)
                    _wrongGap ??= message.ToString();
            }
        }
    }

    public bool Saw(int number)
    {
        lock (_lock)
            return _seen.Contains(number);
    }

    /// <summary>How many GAPs were seen.</summary>
    public int Gaps
    {
        get
        {
            lock (_lock)
                return _seen.Count(number => number == Gap);
        }
    }

    /// <summary>The accepted numbers that were not seen, or not once, from the first number seen on.</summary>
    public int[] NotSeenOnce(IReadOnlySet<int> accepted)
    {
        lock (_lock)
        {
            var times = _seen.CountBy(number => number).ToDictionary();
            var first = _seen.Where(number => number != Gap).DefaultIfEmpty().Min();
            return [.. accepted.Where(number => number >= first && times.GetValueOrDefault(number) != 1).Order()];
        }
    }

    /// <summary>What was wrong with what was seen; null when nothing was.</summary>
    /// <param name="accepted">The numbers that the API accepted.</param>
    /// <param name="gaps">How many outages there were.</param>
    public string? Fault(IReadOnlySet<int> accepted, int gaps)
    {
        lock (_lock)
        {
            if (_wrongGap is not null)
                return $"a wrong gap: {_wrongGap}";
            if (_seen.Count(number => number == Gap) != gaps)
                return $"{_seen.Count(number => number == Gap)} gaps in place of {gaps}";
            var twice = _seen.Where(number => number != Gap).GroupBy(number => number).FirstOrDefault(group => group.Count() > 1);
            return twice is null ? UnannouncedLoss(accepted) : $"{twice.Key} twice";
        }
    }

    // What was answered 503 may come late, or not at all: only the accepted ones tell.
    private string? UnannouncedLoss(IReadOnlySet<int> accepted)
    {
        var (last, gap) = (-1, false);
        foreach (var number in _seen.Where(number => number == Gap || accepted.Contains(number)))
        {
            if (number == Gap)
            {
                gap = true;
                continue;
            }

            if (number < last)
                return $"{number} after {last}";
            for (var lost = last + 1; lost < number && last >= 0 && !gap; lost++)
            {
                if (accepted.Contains(lost))
                    return $"{lost} was accepted and is lost without a gap before {number}";
            }

            (last, gap) = (number, false);
        }

        return null;
    }
}
