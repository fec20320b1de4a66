using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.FanOut;

/// <summary>
/// Rooms that share one shard. Each call of the sender serves three members and takes a whole turn of the clock, so that a frame with more members
/// takes turns with others. What a test does in a call happens on the shard's thread, so nothing here depends on timing.
/// </summary>
public sealed class FanOutTurnTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly Shards _shards;
    private readonly RoomFrames _largeFrames = TestFrames.Of("large");
    private readonly RoomFrames _smallFrames = TestFrames.Of("small");
    private readonly RoomMembers _large;
    private readonly RoomMembers _small;

    /// <summary>Runs in each call, with its number from 1.</summary>
    private Action<int> _onCall = static _ => { };
    private int _calls;

    public FanOutTurnTests()
    {
        _shards = new Shards(new FanOutSettings { Workers = 1 }, _metrics.Node, _time, () => new FakeSender { OnSend = _ => OnCall() });
        (_large, _small) = (new RoomMembers(_shards), new RoomMembers(_shards));
    }

    public void Dispose()
    {
        _shards.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_small_rooms_frame_passes_the_rest_of_a_large_rooms()
    {
        var (order, waits) = (new List<string>(), new List<double>());
        using var listener = _metrics.Listen("push.shard_queue_wait", waits.Add);
        foreach (var client in Join(_large, _largeFrames, 12))
            client.Wire.OnWrite = () => order.Add("large");
        Join(_small, _smallFrames, 1)[0].Wire.OnWrite = () => order.Add("small");
        _onCall = call =>
        {
            if (call == 2)
                _shards.Dispatch(_small, _smallFrames.Batch("1"));
        };
        _shards.Dispatch(_large, _largeFrames.Batch("1"));
        await _shards.WhenPassed();

        Assert.Equal(13, order.Count);
        Assert.Equal(6, order.IndexOf("small"));
        Assert.Equal([0, 0.001], waits);
    }

    /// <summary>Members come and go, and frames and GAPs are dispatched, while the large room's rest waits for its turn.</summary>
    [Theory]
    [InlineData(61)]
    [InlineData(62)]
    [InlineData(63)]
    public async Task Members_that_come_and_go_between_turns_miss_nothing(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var members = new List<(TestClient Client, Membership Member, int From)>();
        var (left, sent) = (new List<(TestClient Client, int From, int To)>(), 0);
        for (var i = 0; i < 10; i++)
            Enter();
        _onCall = _ => _shards.Dispatch(_small, _smallFrames.Batch("[0]"));
        var small = Join(_small, _smallFrames, 1)[0];
        // It is pushed behind each call, when no gate of the large room's members is held.
        small.Wire.Socket = null;
        small.Wire.OnWrite = () =>
        {
            for (var i = random.Next(3); i > 0; i--)
                Enter();
            for (var i = random.Next(3); i > 0 && members.Count > 5; i--)
                Leave(random.Next(members.Count));
            if (sent < 200 && random.Next(2) == 0)
                Send();
        };
        while (sent < 200)
        {
            Send();
            while (_shards.WhenPassed() is { IsCompleted: false } passed)
                await passed;
        }

        foreach (var (client, _, from) in members)
            AssertOrdered(client, from, sent);
        foreach (var (client, from, to) in left)
            AssertOrdered(client, from, to);
        _metrics.AssertDeliveriesClose();

        void Send() => _shards.Dispatch(_large, ++sent % 5 == 0 ? _largeFrames.Gap(sent, GapReason.Overload) : _largeFrames.Batch($"[{sent}]"));

        void Enter()
        {
            var client = new TestClient(_metrics, _time);
            var member = client.Member(_largeFrames);
            _large.Add(member);
            members.Add((client, member, sent));
        }

        void Leave(int index)
        {
            var (client, member, from) = members[index];
            members.RemoveAt(index);
            member.IsActive = false;
            _large.Remove(member);
            left.Add((client, from, Numbers(client).LastOrDefault()));
        }
    }

    [Fact]
    public async Task Passed_means_every_turn_of_what_was_dispatched_before()
    {
        var large = Join(_large, _largeFrames, 12);
        var small = Join(_small, _smallFrames, 1)[0];
        Task? passed = null;
        var isTooEarly = false;
        // A room that always has one more frame: nobody waits for those dispatched later.
        small.Wire.OnWrite = () =>
        {
            isTooEarly |= passed!.IsCompleted && large.Any(client => client.Received.Length == 0);
            if (!passed.IsCompleted)
                _shards.Dispatch(_small, _smallFrames.Batch("2"));
        };
        _onCall = call =>
        {
            if (call != 1)
                return;
            _shards.Dispatch(_small, _smallFrames.Batch("1"));
            passed = _shards.WhenPassed();
        };
        var left = 0;
        _shards.Dispatch(_large, _largeFrames.Batch("1"), left: () => left++);
        await Eventually.HoldsAsync(() => passed is not null, "the large room's frame is begun");
        await passed!.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

        Assert.Equal(1, left);
        Assert.All(large, client => Assert.Equal(["PUSH large [1]"], client.Received));
        Assert.False(isTooEarly);
        Assert.Equal("PUSH small [1]", small.Received[0]);
    }

    [Fact]
    public async Task A_shutdown_between_two_turns_finishes_every_frame()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var go = new ManualResetEventSlim();
        var large = Join(_large, _largeFrames, 12);
        var small = Join(_small, _smallFrames, 1)[0];
        _onCall = call =>
        {
            if (call != 1)
                return;
            _shards.Dispatch(_large, _largeFrames.Batch("2"));
            _shards.Dispatch(_small, _smallFrames.Batch("1"));
            begun.SetResult();
            go.Wait(TestContext.Current.CancellationToken);
        };
        var left = 0;
        _shards.Dispatch(_large, _largeFrames.Batch("1"), left: () => left++);
        await Eventually.CompletesAsync(begun.Task, "the first call");
        var stopping = Task.Factory.StartNew(_shards.Dispose, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Eventually.HoldsAsync(() => Record.Exception(() => _shards.Dispatch(_small, _smallFrames.Batch("2"))) is ObjectDisposedException, "nothing is taken any more");
        go.Set();
        await stopping;

        Assert.Equal(1, left);
        Assert.All(large, client => Assert.Equal(["PUSH large [1]", "PUSH large [2]"], client.Received));
        Assert.Equal("PUSH small [1]", small.Received[0]);
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task A_push_that_throws_in_a_later_turn_closes_only_its_call()
    {
        var large = Join(_large, _largeFrames, 12);
        Join(_small, _smallFrames, 1);
        large[7].Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        _onCall = call =>
        {
            if (call == 1)
                _shards.Dispatch(_small, _smallFrames.Batch("0"));
        };
        var left = 0;
        _shards.Dispatch(_large, _largeFrames.Batch("1"), left: () => left++);
        await _shards.WhenPassed();

        Assert.Equal(1, left);
        // The second call has the small room's member and two of the large room's.
        Assert.Equal([5, 6, 7], Enumerable.Range(0, 12).Where(i => large[i].Wire.IsAborted));
        Assert.All(large.Where(client => !client.Wire.IsAborted), client => Assert.Equal(["PUSH large [1]"], client.Received));
        Assert.Equal(3, _metrics.Read("push.deliveries_dropped", "failed"));
        Array.ForEach(large, client => client.Connection.OnEnded());
        _metrics.AssertDeliveriesClose();
    }

    /// <summary>The first frame is taken in part: the second one must not follow it before its rest.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    public async Task A_client_with_two_frames_in_one_call_gets_each_whole(int budget)
    {
        Join(_large, _largeFrames, 3);
        var client = Join(_small, _smallFrames, 1)[0];
        var other = new RoomMembers(_shards);
        other.Add(client.Member(TestFrames.Of("other")));
        _onCall = call =>
        {
            if (call != 1)
                return;
            client.Wire.Budget = budget;
            // They wait for the same turn.
            _shards.Dispatch(_small, _smallFrames.Batch("1"));
            _shards.Dispatch(other, TestFrames.Of("other").Batch("2"));
        };
        _shards.Dispatch(_large, _largeFrames.Batch("1"));
        // Perhaps only the first call is waited for, and dispatches more.
        while (_shards.WhenPassed() is { IsCompleted: false } passed)
            await passed;
        client.TakeAll();

        Assert.Equal(2, _calls);
        Assert.Equal(["PUSH small [1]", "PUSH other [2]"], client.Received);
        _metrics.AssertDeliveriesClose();
    }

    /// <summary>It has every number since it came, each once and in order, and perhaps the frame that was not begun when it came.</summary>
    private static void AssertOrdered(TestClient client, int from, int to)
    {
        var numbers = Numbers(client);
        if (numbers.Length == 0)
        {
            Assert.True(from >= to || to == 0);
            return;
        }

        Assert.Equal(Enumerable.Range(numbers[0], numbers.Length), numbers);
        Assert.InRange(numbers[0], 1, from + 1);
        Assert.Equal(to, numbers[^1]);
    }

    private static int[] Numbers(TestClient client) => [.. client.Frames.Select(frame => frame.Type == "GAP" ? frame.Missed : frame.Numbers.Single())];

    private void OnCall()
    {
        _onCall(++_calls);
        _time.Advance(TimeSpan.FromMilliseconds(1));
    }

    private TestClient[] Join(RoomMembers room, RoomFrames frames, int count)
    {
        var clients = Enumerable.Range(0, count).Select(_ => new TestClient(_metrics, _time)).ToArray();
        Array.ForEach(clients, client => room.Add(client.Member(frames)));
        return clients;
    }
}
