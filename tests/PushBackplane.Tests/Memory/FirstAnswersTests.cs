using PushBackplane.Memory;

namespace PushBackplane.Tests.Memory;

public sealed class FirstAnswersTests
{
    private readonly ManualTime _time = new();
    private readonly FirstAnswers _answers;
    private int _published;

    public FirstAnswersTests() => _answers = new FirstAnswers(_time);

    [Fact]
    public void A_key_publishes_once_to_each_channel_of_its_request()
    {
        Assert.Equal(OnceOutcome.First(1), Publish("a", "k"));
        Assert.Equal(OnceOutcome.Replayed(1), Publish("a", "k"));
        Assert.Equal(OnceOutcome.First(2), Publish("b", "k"));
        Assert.Equal(OnceOutcome.Replayed(1), Publish("a", "k"));
        Assert.Equal(new OnceOutcome(OnceResult.Reused), Publish("a", "k", fingerprint: 2));
        Assert.Equal(new OnceOutcome(OnceResult.Reused), Publish("c", "k", fingerprint: 2));
        Assert.Equal(OnceOutcome.First(3), Publish("a", "K"));
        Assert.Equal(3, _published);
    }

    [Fact]
    public void A_key_is_forgotten_120_seconds_after_its_last_publish()
    {
        Publish("a", "k");
        _time.Advance(TimeSpan.FromSeconds(60));
        Publish("b", "k");
        _time.Advance(TimeSpan.FromSeconds(119.9));
        Assert.Equal(OnceOutcome.Replayed(1), Publish("a", "k"));
        Assert.Equal(1, _answers.Count);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(OnceOutcome.First(3), Publish("a", "k", fingerprint: 2));
        Assert.Equal(OnceOutcome.First(4), Publish("b", "k", fingerprint: 2));
        Assert.Equal(1, _answers.Count);
    }

    [Fact]
    public void New_keys_are_refused_when_memory_is_full_and_known_ones_are_kept()
    {
        var room = "push:room:" + new string('r', 128);
        var kept = 0;
        while (Publish(room, $"{kept}{new string('k', 50)}").Result == OnceResult.First)
            kept++;
        Assert.InRange(kept, 10_000, 200_000);

        var refused = Publish(room, "new");
        Assert.Equal((OnceResult.NotSent, "it remembers as many Idempotency-Keys as it may (67108864 bytes)"), (refused.Result, refused.Cause));
        Assert.Equal(OnceOutcome.Replayed(1), Publish(room, $"0{new string('k', 50)}"));
        Assert.Equal(kept, _published);

        _time.Advance(IdempotencyKey.Lifetime);
        Assert.Equal(OnceResult.First, Publish(room, "new").Result);
        Assert.Equal(1, _answers.Count);
    }

    [Fact]
    public async Task Publishers_at_the_same_time_publish_each_key_once()
    {
        const int Keys = 2_000;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            Enumerable.Range(0, Keys).Select(i => Publish("a", $"{i}").Result).ToArray())));
        Assert.Equal(Keys, _published);
        Assert.All(Enumerable.Range(0, Keys), i => Assert.Single(outcomes, outcome => outcome[i] == OnceResult.First));
    }

    private OnceOutcome Publish(string channel, string key, byte fingerprint = 1) =>
        _answers.PublishOnce(channel, new IdempotencyKey(key, new[] { fingerprint }), () => Interlocked.Increment(ref _published));
}
