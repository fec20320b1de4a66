using PushBackplane;
using PushBackplane.Counts;
using PushNode.Messages;

namespace PushNode.Tests.Counts;

/// <summary>What a node reports, and what it does when a report is lost.</summary>
public sealed class CountsReporterTests
{
    [Fact]
    public async Task Only_what_changed_is_reported()
    {
        using var node = new CountingNode();
        var (a, b) = (node.Join("r", "s"), node.Join("r"));
        await node.Reporter.RunAsync();
        Assert.Equal((2L, 1L), (await node.OnlineAsync("r"), await node.OnlineAsync("s")));

        await node.Reporter.RunAsync();
        Assert.Empty(node.Counts.Reports[^1].Rooms);

        b.End();
        node.Join("t").End();
        await node.Reporter.RunAsync();
        Assert.Equal([new RoomReport(TestFrames.Room("r"), 1)], node.Counts.Reports[^1].Rooms);
        a.End();
        await node.Reporter.RunAsync();
        Assert.Equal(0, await node.OnlineAsync("r"));
        Assert.All(node.Counts.Reports.Skip(1), report => Assert.False(report.IsFirst));
    }

    /// <summary>The lease needs a report every other second; what changes, and what failed, does not wait.</summary>
    [Fact]
    public async Task A_node_without_changes_reports_every_other_second()
    {
        using var node = new CountingNode();
        await TicksAsync(reports: 1, ticks: 2);
        await TicksAsync(reports: 1, ticks: 2);
        node.Join("r");
        await TicksAsync(reports: 1, ticks: 2);
        await TicksAsync(reports: 1, ticks: 1);
        node.Join("s");
        await TicksAsync(reports: 1, ticks: 1);
        await TicksAsync(reports: 0, ticks: 1);
        node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Failed));
        await TicksAsync(reports: 2, ticks: 2);

        async Task TicksAsync(int reports, int ticks)
        {
            var before = node.Counts.Reports.Count;
            for (var i = 0; i < ticks; i++)
                await node.Reporter.TickAsync();
            Assert.Equal(reports, node.Counts.Reports.Count - before);
        }
    }

    [Fact]
    public async Task A_node_that_was_forgotten_reports_everything_again_at_once()
    {
        using var node = new CountingNode();
        node.Join("r", "s");
        await node.Reporter.RunAsync();
        node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Lost));
        await node.Reporter.RunAsync();
        var again = node.Counts.Reports[^1];
        Assert.True(again.IsFirst);
        Assert.Equal(["r", "s"], again.Rooms.Select(room => room.Room.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_not_kept_is_reported_again_as_it_is_then()
    {
        using var node = new CountingNode();
        node.Join("r");
        node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Failed));
        await node.Reporter.RunAsync();
        Assert.Equal(1, node.Node.Changes.Count);
        node.Join("r");
        await node.Reporter.RunAsync();
        Assert.Equal(2, await node.OnlineAsync("r"));
        Assert.Equal(0, node.Node.Changes.Count);
    }

    /// <summary>A client comes, the answer to its report is lost, and it leaves before the next.</summary>
    [Fact]
    public async Task What_was_kept_without_an_answer_is_taken_back()
    {
        using var node = new CountingNode(hasEvents: true);
        await node.Reporter.RunAsync();
        Assert.True(UserId.TryParse("alice", out var alice, out _));
        var devices = node.Node.Rooms.Hold(Topic.User(alice))!;
        var device = node.Node.Connect().Member(devices.Frames);
        devices.Members.Add(device);
        var client = node.Join("r");
        node.Counts.AnswersToLose = 1;
        await node.Reporter.RunAsync();
        Assert.Equal(1, await node.OnlineAsync("r"));

        client.End();
        devices.Members.Remove(device);
        await node.Reporter.RunAsync();
        Assert.Equal((0, 0), (await node.OnlineAsync("r"), (await node.Counts.UserAsync(alice)).Value!.Connections));
        // Another node, which left meanwhile, may have thought that somebody was still here.
        Assert.Equal(["-r", "-alice"], node.Told);
        await node.Reporter.RunAsync();
        Assert.Empty(node.Counts.Reports[^1].Rooms);
    }

    [Fact]
    public async Task A_refusal_is_logged_once_and_so_is_its_end()
    {
        using var node = new CountingNode();
        for (var i = 0; i < 3; i++)
        {
            node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Failed, Cause: "it is a test"));
            await node.Reporter.RunAsync();
        }

        await node.Reporter.RunAsync();
        await node.Reporter.RunAsync();
        Assert.Equal((1, 1), (node.Log.Count(4340), node.Log.Count(4341)));
    }

    /// <summary>Somebody wrote to its keys.</summary>
    [Fact]
    public async Task A_node_that_cannot_begin_takes_another_id()
    {
        using var node = new CountingNode();
        var before = node.Reporter.Id;
        node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Stale));
        await node.Reporter.RunAsync();
        Assert.NotEqual(before, node.Reporter.Id);
        node.Join("r");
        await node.Reporter.RunAsync();
        Assert.Equal(1, await node.OnlineAsync("r"));
    }

    [Fact]
    public async Task Ten_thousand_changes_go_out_in_bounded_reports_and_the_rest_waits()
    {
        using var node = new CountingNode(maxChanges: 4_000);
        for (var client = 0; client < 11; client++)
            node.Join([.. Enumerable.Range(0, 1_000).Select(i => $"{client} {i}")]);
        await node.Reporter.RunAsync();
        Assert.Equal(7_000, node.Node.Changes.Count);
        await node.Reporter.RunAsync();
        await node.Reporter.RunAsync();
        Assert.Equal(0, node.Node.Changes.Count);
        Assert.All(node.Counts.Reports, report => Assert.InRange(report.Rooms.Count, 0, CountsReport.MaxChanges));
        Assert.Equal(11_000, node.Counts.Reports.Sum(report => report.Rooms.Count));
        await node.Reporter.RunAsync();
        Assert.Equal(11_000, (await node.Counts.FarmAsync()).Value!.Totals.Rooms);
    }

    [Fact]
    public async Task What_changes_during_a_report_waits_for_the_next_second()
    {
        using var node = new CountingNode();
        node.Join("r");
        node.Counts.OnReport = () => node.Join("r");
        await node.Reporter.RunAsync();
        Assert.Single(node.Counts.Reports);
        await node.Reporter.RunAsync();
        Assert.Equal([1, 2], node.Counts.Reports.Select(report => report.Rooms.Single().Online));
    }

    /// <summary>A user's JOIN lists the room twice: by the member and by the user.</summary>
    [Fact]
    public async Task A_room_that_changes_while_it_is_reported_is_told_once()
    {
        const int Rooms = 3000;
        using var node = new CountingNode(hasEvents: true);
        await node.Reporter.RunAsync();
        var joining = Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < Rooms; i++)
                    node.Join("alice", Variant.Json, $"r{i}");
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        while (!joining.IsCompleted || node.Node.Changes.Count > 0)
            await node.Reporter.RunAsync();
        await joining;
        Assert.Equal(Enumerable.Range(0, Rooms).Select(i => $"+r{i}").Append("+alice").Order(StringComparer.Ordinal), node.Told.Order(StringComparer.Ordinal));
        Assert.All(node.Counts.Reports, report => Assert.Equal(report.Rooms.Count, report.Rooms.DistinctBy(room => room.Room).Count()));
    }

    [Fact]
    public async Task Changes_of_the_farm_are_told_once_even_if_the_node_is_forgotten()
    {
        using var node = new CountingNode(hasEvents: true);
        var client = node.Join("r");
        await node.Reporter.RunAsync();
        Assert.Equal(["+r"], node.Told);
        node.Counts.Outcomes.Enqueue(new ReportOutcome(ReportResult.Lost));
        await node.Reporter.RunAsync();
        Assert.Equal(["+r"], node.Told);

        // It is empty when the node begins again: told, although the backplane did not know of it any more.
        client.End();
        await node.Counts.LeaveAsync(node.Reporter.Id);
        await node.Reporter.RunAsync();
        await node.Reporter.RunAsync();
        Assert.Equal(["+r", "-r"], node.Told);
    }

    [Fact]
    public async Task Without_events_nobody_asks_for_changes_of_the_farm()
    {
        using var node = new CountingNode();
        node.Join("r");
        await node.Reporter.RunAsync();
        Assert.All(node.Counts.Reports.SelectMany(report => report.Rooms), room => Assert.False(room.Asks));
    }

    [Fact]
    public async Task Users_count_once_in_a_room_however_many_connections_they_have()
    {
        using var node = new CountingNode();
        TestClient[] clients = [node.Join("alice", Variant.Json, "r"), node.Join("alice", Variant.Json, "r"), node.Join("bob", Variant.Json, "r"), node.Join("r")];
        await node.Reporter.RunAsync();
        Assert.Equal(new RoomCount(TestFrames.Room("r"), 4, new DistinctUsers(2, false), 1), (await node.Counts.RoomAsync(TestFrames.Room("r"))).Value);
        clients[0].End();
        await node.Reporter.RunAsync();
        Assert.Equal(2, (await node.Counts.RoomAsync(TestFrames.Room("r"))).Value!.Users.Count);
        clients[1].End();
        await node.Reporter.RunAsync();
        Assert.Equal(1, (await node.Counts.RoomAsync(TestFrames.Room("r"))).Value!.Users.Count);
    }

    [Fact]
    public async Task A_user_counts_by_the_members_of_the_users_topic()
    {
        using var node = new CountingNode();
        Assert.True(UserId.TryParse("alice", out var alice, out _));
        var room = node.Node.Rooms.Hold(Topic.User(alice))!;
        var member = node.Node.Connect().Member(room.Frames);
        room.Members.Add(member);
        await node.Reporter.RunAsync();
        Assert.Equal(new UserCount(alice, 1, 1), (await node.Counts.UserAsync(alice)).Value);
        await node.Reporter.RunAsync();
        Assert.Equal(new DistinctUsers(1, false), (await node.Counts.FarmAsync()).Value!.Users);
        room.Members.Remove(member);
        await node.Reporter.RunAsync();
        Assert.Equal(0, (await node.Counts.UserAsync(alice)).Value!.Connections);
    }

    [Fact]
    public async Task A_node_that_stops_leaves_the_counts()
    {
        using var node = new CountingNode();
        node.Join("r");
        await node.Reporter.RunAsync();
        await node.Reporter.StopAsync(CancellationToken.None);
        Assert.Equal((0L, 0), (await node.OnlineAsync("r"), (await node.Counts.FarmAsync()).Value!.Nodes));
    }
}
