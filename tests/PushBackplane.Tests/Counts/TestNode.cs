using System.Globalization;
using PushBackplane.Counts;

namespace PushBackplane.Tests.Counts;

/// <summary>Reports as a node does.</summary>
internal sealed class TestNode(IFarmCounts counts, string name)
{
    private long _sequence;

    public string Id { get; } = Random.Shared.NextInt64(long.MaxValue).ToString("x16", CultureInfo.InvariantCulture);

    public string Name => name;

    public NodeTotals Totals { get; init; } = new();

    /// <summary>The next report; the first begins.</summary>
    public CountsReport Next(
        (string Room, int Online)[] rooms, (string User, int Connections)[]? users = null, UserSketch? sketch = null, bool? first = null, bool asks = false)
    {
        _sequence++;
        return new CountsReport
        {
            Id = Id,
            Node = name,
            Sequence = _sequence,
            IsFirst = first ?? _sequence == 1,
            Totals = Totals,
            AllUsers = sketch ?? UserSketch.Empty,
            Rooms = [.. rooms.Select(room => new RoomReport(Names.Room(room.Room), room.Online, sketch, asks))],
            Users = [.. (users ?? []).Select(user => new UserReport(Names.User(user.User), user.Connections, asks))],
        };
    }

    public Task<ReportOutcome> TryReportAsync((string Room, int Online)[] rooms) => counts.ReportAsync(Next(rooms));

    public async Task<FarmChanges> ReportAsync(
        (string Room, int Online)[] rooms, (string User, int Connections)[]? users = null, UserSketch? sketch = null, bool? first = null, bool asks = false)
    {
        var outcome = await counts.ReportAsync(Next(rooms, users, sketch, first, asks));
        Assert.Equal((ReportResult.Kept, null), (outcome.Result, outcome.Cause));
        return outcome.Changes!;
    }
}

internal static class Names
{
    public static RoomId Room(string name) => RoomId.TryParse(name, out var room, out var error) ? room : throw new ArgumentException(error, nameof(name));

    public static UserId User(string name) => UserId.TryParse(name, out var user, out var error) ? user : throw new ArgumentException(error, nameof(name));

    public static UserSketch Sketch(params string[] users) => Sketch((IEnumerable<string>)users);

    /// <summary>The sketch of some distinct users.</summary>
    public static UserSketch Sketch(IEnumerable<string> users)
    {
        ulong[] hashes = [.. users.Select(user => UserSketch.HashOf(User(user))).Order()];
        return new UserSketch(hashes.Length, hashes[..Math.Min(hashes.Length, UserSketch.Size)]);
    }
}
