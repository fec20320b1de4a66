using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;

namespace PushNode.Tests.FanOut;

public sealed class MemberSetTests
{
    [Theory]
    [InlineData(81)]
    [InlineData(82)]
    public void It_holds_exactly_the_members_added_and_not_removed(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var metrics = new TestMetrics();
        var client = new TestClient(metrics, new ManualTime());
        var frames = TestFrames.Of("r");
        var random = new Random(seed);
        var set = new MemberSet(Variant.Json, null);
        var model = new List<Membership>();
        Membership[] listed = [];
        for (var step = 0; step < 20_000; step++)
        {
            // Grows and shrinks in turn.
            if (model.Count == 0 || random.Next(10) < (step / 1000 % 2 == 0 ? 6 : 4))
            {
                var member = client.Member(frames);
                model.Add(member);
                set.AddLocked(member);
            }
            else
            {
                var index = random.Next(model.Count);
                set.RemoveLocked(model[index]);
                model.RemoveAt(index);
            }

            Assert.Equal(model.Count, set.Count);
            if (!set.TryListLocked(listed, out var count))
                Assert.True(set.TryListLocked(listed = new Membership[2 * count], out count));
            Assert.Equal(model.Count, count);
            if (step % 50 == 0)
                Assert.Equal([.. model], listed[..count].ToHashSet());
        }
    }
}
