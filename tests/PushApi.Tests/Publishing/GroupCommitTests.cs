using System.Text;
using PushApi.Tests.Hosting;
using PushBackplane.Publishing;
using PushBackplane;

namespace PushApi.Tests.Publishing;

public class GroupCommitTests
{
    private readonly FakeBackplane _backplane = new() { Holds = true };
    private readonly ManualTime _time = new();
    private readonly ChannelPublisher _publisher;

    public GroupCommitTests() => _publisher = new ChannelPublisher(_backplane, null!, _time);

    [Fact]
    public async Task A_lone_request_is_sent_at_once_and_reports_the_nodes()
    {
        var publish = Publish("a", "1", "2");
        var envelope = await _backplane.NextAsync();
        Assert.Equal(["1", "2"], envelope.Texts);
        Assert.False(publish.IsCompleted);

        envelope.Confirm(nodes: 7);
        Assert.Equal(PublishOutcome.Confirmed(7), await publish);
    }

    [Fact]
    public async Task Requests_during_a_publish_leave_together_in_order_as_the_next_one()
    {
        var first = Publish("a", "1");
        var second = Publish("a", "2", "3");
        var third = Publish("a", "4");

        var envelope = await _backplane.NextAsync();
        Assert.Equal(["1"], envelope.Texts);
        Assert.False(_backplane.HasNext, "Two envelopes of one room are in flight.");
        envelope.Confirm();
        Assert.Equal(PublishOutcome.Confirmed(1), await first);

        var next = await _backplane.NextAsync();
        Assert.Equal(["2", "3", "4"], next.Texts);
        next.Confirm(nodes: 2);
        Assert.Equal(PublishOutcome.Confirmed(2), await second);
        Assert.Equal(PublishOutcome.Confirmed(2), await third);
    }

    [Fact]
    public async Task Rooms_do_not_wait_for_each_other()
    {
        _ = Publish("a", "1");
        var other = Publish("b", "2");
        var first = await _backplane.NextAsync();
        var second = await _backplane.NextAsync();
        Assert.Equal("a", first.Published.Channel);
        second.Confirm();
        Assert.Equal(PublishOutcome.Confirmed(1), await other);
        first.Confirm();
    }

    [Fact]
    public async Task An_envelope_carries_the_earliest_acceptance_of_its_requests()
    {
        var start = _time.GetUtcNow();
        _ = Publish("a", "1");
        _ = _publisher.PublishAsync(_backplane.Named("a"), Messages("2"), start.AddMilliseconds(20));
        _ = _publisher.PublishAsync(_backplane.Named("a"), Messages("3"), start.AddMilliseconds(10));

        var envelope = await _backplane.NextAsync();
        Assert.Equal(start, envelope.Published.PublishedAt);
        envelope.Confirm();
        var next = await _backplane.NextAsync();
        Assert.Equal(start.AddMilliseconds(10), next.Published.PublishedAt);
        next.Confirm();
    }

    [Fact]
    public async Task An_envelope_is_limited_by_items_and_the_rest_follows()
    {
        var all = new List<Task<PublishOutcome>> { Publish("a", "0") };
        for (var i = 1; i <= 5; i++)
            all.Add(Publish("a", [.. Enumerable.Repeat($"{i}", 300)]));

        (await _backplane.NextAsync()).Confirm();
        var second = await _backplane.NextAsync();
        Assert.Equal(900, second.Texts.Length);
        Assert.Equal(["1", "2", "3"], second.Texts.Distinct());
        second.Confirm();
        var third = await _backplane.NextAsync();
        Assert.Equal(["4", "5"], third.Texts.Distinct());
        third.Confirm();
        Assert.All(await Task.WhenAll(all), outcome => Assert.Equal(PublishOutcome.Confirmed(1), outcome));
    }

    [Fact]
    public async Task An_envelope_is_limited_by_bytes_and_a_larger_request_goes_alone()
    {
        var large = new string('x', 700 * 1024);
        var larger = new string('y', 1500 * 1024);
        Task<PublishOutcome>[] all = [Publish("a", "0"), Publish("a", large), Publish("a", larger, "z"), Publish("a", "1"), Publish("a", large)];

        int[][] lengths = [[1], [large.Length], [larger.Length, 1], [1, large.Length]];
        foreach (var expected in lengths)
        {
            var envelope = await _backplane.NextAsync();
            Assert.Equal(expected, envelope.Published.Items.Select(item => item.Length));
            envelope.Confirm();
        }
        await Task.WhenAll(all);
    }

    [Fact]
    public async Task A_request_with_a_key_keeps_its_place_as_an_envelope_of_its_own()
    {
        Task<PublishOutcome>[] all =
        [
            Publish("a", "1"), Publish("a", "2"), Publish("a", "3"), PublishOnce("a", "one", "4"), PublishOnce("a", "two", "5"), Publish("a", "6"), Publish("a", "7"),
        ];
        string[][] envelopes = [["1"], ["2", "3"], ["4"], ["5"], ["6", "7"]];
        foreach (var expected in envelopes)
        {
            var envelope = await _backplane.NextAsync();
            Assert.Equal(expected, envelope.Texts);
            Assert.False(_backplane.HasNext, "Two envelopes of one room are in flight.");
            envelope.Confirm();
        }

        Assert.All(await Task.WhenAll(all), outcome => Assert.Equal(PublishOutcome.Confirmed(1), outcome));
        Assert.Equal([null, null, "one", "two", null], _backplane.Keys.Select(key => key?.Name));
    }

    [Fact]
    public async Task An_unconfirmed_publish_with_a_key_rejects_the_requests_behind_it_unsent()
    {
        var first = PublishOnce("a", "key", "1");
        var second = Publish("a", "2");
        (await _backplane.NextAsync()).TimeOut();
        Assert.Equal(PublishOutcome.NotConfirmed, await first);
        Assert.Equal(PublishOutcome.NotSent, await second);
    }

    [Fact]
    public async Task A_refused_key_does_not_reject_the_requests_behind_it()
    {
        var opener = Publish("a", "0");
        var opening = await _backplane.NextAsync();
        _backplane.AnswerOnce = (_, _) => new OnceOutcome(OnceResult.Reused);
        var refused = PublishOnce("a", "key", "1");
        var behind = Publish("a", "2");
        _backplane.Holds = false;
        opening.Confirm();
        await opener;
        Assert.Equal(PublishResult.Reused, (await refused).Result);
        Assert.Equal(PublishOutcome.Confirmed(1), await behind);
    }

    [Fact]
    public async Task An_unconfirmed_publish_rejects_the_requests_behind_it_unsent()
    {
        var first = Publish("a", "1");
        var second = Publish("a", "2");
        var third = Publish("a", "3");
        var elsewhere = Publish("b", "4");

        (await _backplane.NextAsync()).TimeOut();
        Assert.Equal(PublishOutcome.NotConfirmed, await first);
        Assert.Equal(PublishOutcome.NotSent, await second);
        Assert.Equal(PublishOutcome.NotSent, await third);

        (await _backplane.NextAsync()).Confirm();
        Assert.Equal(PublishOutcome.Confirmed(1), await elsewhere);
        Assert.Equal(2, _backplane.Published.Length);
    }

    [Fact]
    public async Task A_retry_after_a_failure_is_not_rejected_with_the_old_queue()
    {
        for (var round = 0; round < 50; round++)
        {
            var opener = Publish("a", "0");
            var opening = await _backplane.NextAsync();
            // So many that the first one retries before all are answered.
            Task<PublishOutcome>[] failed = [.. Enumerable.Range(0, 500).Select(_ => Publish("a", "1"))];
            opening.Confirm();
            await opener;
            (await _backplane.NextAsync()).TimeOut();
            Assert.Equal(PublishOutcome.NotConfirmed, await failed[0]);

            var again = Publish("a", "2");
            var envelope = await _backplane.NextAsync();
            Assert.Equal(["2"], envelope.Texts);
            envelope.Confirm();
            Assert.Equal(PublishOutcome.Confirmed(1), await again);
            Assert.All(await Task.WhenAll(failed), outcome => Assert.Equal(PublishOutcome.NotConfirmed, outcome));
        }
    }

    [Fact]
    public async Task A_request_behind_a_slow_publish_is_withdrawn_at_its_own_deadline()
    {
        var first = Publish("a", "1");
        var envelope = await _backplane.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = Publish("a", "2");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        var third = Publish("a", "3");

        _time.Advance(TimeSpan.FromSeconds(0.4));
        Assert.Equal(PublishOutcome.NotConfirmed, await first);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PublishOutcome.NotSent, await second);
        Assert.False(third.IsCompleted);

        envelope.Confirm();
        var next = await _backplane.NextAsync();
        Assert.Equal(["3"], next.Texts);
        next.Confirm();
        Assert.Equal(PublishOutcome.Confirmed(1), await third);
    }

    [Fact]
    public async Task A_silent_backplane_holds_no_request_beyond_its_deadline()
    {
        Task<PublishOutcome>[] all = [Publish("a", "1"), Publish("a", "2"), Publish("b", "3")];
        _time.Advance(ChannelPublisher.Deadline);
        Assert.Equal([PublishOutcome.NotConfirmed, PublishOutcome.NotSent, PublishOutcome.NotConfirmed], await Task.WhenAll(all));
    }

    [Fact]
    public async Task Nothing_is_sent_to_an_unavailable_backplane()
    {
        _backplane.IsUp = false;
        Assert.Equal(PublishOutcome.NotSent, await Publish("a", "1"));
        Assert.Empty(_backplane.Published);
    }

    [Fact]
    public async Task A_backplane_that_throws_fails_only_the_requests_of_that_envelope()
    {
        var first = Publish("a", "1");
        var second = Publish("a", "2");
        (await _backplane.NextAsync()).Throw(new NotSupportedException());
        await Assert.ThrowsAsync<NotSupportedException>(() => first);
        (await _backplane.NextAsync()).Confirm();
        Assert.Equal(PublishOutcome.Confirmed(1), await second);
    }

    [Fact]
    public async Task An_idle_room_leaves_neither_a_queue_nor_a_timer()
    {
        var all = Enumerable.Range(0, 50).Select(i => Publish($"room{i % 10}", "1")).ToArray();
        Assert.Equal(10, _publisher.BusyChannels);
        _backplane.Holds = false;
        for (var i = 0; i < 10; i++)
            (await _backplane.NextAsync()).Confirm();
        await Task.WhenAll(all);

        await Eventually.HoldsAsync(() => _publisher.BusyChannels == 0, "A queue is left.");
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task A_publisher_is_answered_although_its_room_stays_busy()
    {
        // Whenever the backplane answers, the next request is already waiting.
        var stop = false;
        _backplane.Holds = false;
        _backplane.Answer = channel =>
        {
            if (!Volatile.Read(ref stop))
                _ = Publish(channel, "more");
            return Task.FromResult<int?>(1);
        };
        var first = Task.Run(() => Publish("a", "1"));
        try
        {
            Assert.Equal(PublishOutcome.Confirmed(1), await first.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken));
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }
        await Eventually.HoldsAsync(() => _publisher.BusyChannels == 0, "A queue is left.");
    }

    // A request that gets no answer fails its test instead of hanging it.
    private Task<PublishOutcome> Publish(string channel, params string[] messages) =>
        _publisher.PublishAsync(_backplane.Named(channel), Messages(messages), _time.GetUtcNow()).WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

    private Task<PublishOutcome> PublishOnce(string channel, string key, params string[] messages) =>
        _publisher.PublishAsync(_backplane.Named(channel), Messages(messages), _time.GetUtcNow(), new IdempotencyKey(key, new byte[16]))
            .WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

    private static ReadOnlyMemory<byte>[] Messages(params string[] messages) =>
        [.. messages.Select(message => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(message)))];
}
