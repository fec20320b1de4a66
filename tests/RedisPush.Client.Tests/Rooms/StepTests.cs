using RedisPush.Client.Rooms;

namespace RedisPush.Client.Tests.Rooms;

/// <summary>Whatever a server sends, nothing comes twice within an epoch, and no hole is untold.</summary>
public sealed class StepTests
{
    [Fact]
    public void Random_frames_bring_each_message_once_and_tell_each_hole()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 1000; round++)
        {
            PushPosition? known = null;
            var got = new HashSet<long>();
            for (var frame = 0; frame < 60; frame++)
            {
                var end = new PushPosition(random.Next(20) == 0 ? "e2" : "e1", random.Next(6, 40));
                var (messages, positioned) = (random.Next(1, 6), 0);
                positioned = random.Next(4) == 0 ? random.Next(1, messages + 1) : messages;
                var step = Step.Of(known, end, messages, positioned);
                Assert.InRange(step.Skipped, 0, messages);
                if (step.End is not { } now)
                {
                    Assert.True(known!.Value.Covers(end));
                    Assert.Equal((messages, null), (step.Skipped, step.Gap));
                    continue;
                }

                if (known?.Epoch != now.Epoch)
                    got.Clear(); // What an epoch says of another one, nobody can check.
                var start = step.Gap?.To ?? known ?? now with { Offset = now.Offset - positioned };
                Assert.Equal(known, step.Gap?.From ?? known);
                if (positioned == messages || step.Skipped == messages)
                    Assert.Equal(now.Offset - start.Offset, messages - step.Skipped);
                for (var offset = start.Offset + 1; offset <= now.Offset; offset++)
                    Assert.True(got.Add(offset), $"{offset} came twice");
                known = now;
            }
        }
    }
}
