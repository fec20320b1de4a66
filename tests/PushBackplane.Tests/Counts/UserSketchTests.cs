using System.Globalization;
using PushBackplane.Counts;

namespace PushBackplane.Tests.Counts;

/// <summary>The number of distinct users of several nodes.</summary>
public sealed class UserSketchTests(ITestOutputHelper output)
{
    [Fact]
    public void A_user_has_the_same_hash_on_every_node_and_in_every_version()
    {
        // The first 52 bits of the SHA-256, with the last one set.
        Assert.Equal(0x2bd806c97f0e1UL, UserSketch.HashOf(Names.User("alice")));
    }

    [Fact]
    public void Users_on_one_node_and_few_users_count_exactly()
    {
        Assert.Equal(new DistinctUsers(5000, false), UserSketch.Merge(5000, 5000, null, [1, 2, 3]));
        Assert.Equal(new DistinctUsers(3, false), UserSketch.Merge(2, 4, 3, []));
        Assert.Equal(new DistinctUsers(0, false), UserSketch.Merge(0, 0, 0, []));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(2_000)]
    [InlineData(20_000)]
    public void The_estimate_of_many_users_is_within_the_stated_error(int users)
    {
        // 300 trials have a standard error of 8.9 % / sqrt(300) in their mean. Each is within 8 standard errors: more than 5 too high comes in every fiftieth
        // run, because an estimate is the reciprocal of a random number.
        const int Trials = 300;
        const double StandardError = 0.089;
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        var errors = Enumerable.Range(0, Trials).Select(_ => Trial(random, users)).ToArray();
        var rms = Math.Sqrt(errors.Average(error => error * error));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean {errors.Average():0.0000}, root mean square {rms:0.0000}, largest {errors.Max(Math.Abs):0.000}"));
        Assert.InRange(errors.Average(), -0.03, 0.03);
        Assert.InRange(rms, 0, 1.25 * StandardError);
        Assert.InRange(errors.Max(Math.Abs), 0, 8 * StandardError);
    }

    /// <summary>Three nodes, on which each user is with a chance of a half or more; hashes are as good as random numbers.</summary>
    private static double Trial(Random random, int users)
    {
        var nodes = Enumerable.Range(0, 3).Select(_ => new List<ulong>()).ToArray();
        for (var i = 0; i < users; i++)
        {
            var hash = (ulong)random.NextInt64(1L << 52) | 1;
            nodes[random.Next(3)].Add(hash);
            if (random.Next(2) == 0)
                nodes[random.Next(3)].Add(hash);
        }

        ulong[][] smallest = [.. nodes.Select(node => node.Distinct().Order().Take(UserSketch.Size).ToArray())];
        var counts = nodes.Select(node => (long)node.Distinct().Count()).ToArray();
        var merged = UserSketch.Merge(counts.Max(), counts.Sum(), null, [.. smallest.SelectMany(one => one).Distinct().Order().Take(UserSketch.Size)]);
        Assert.True(merged.IsApproximate);
        return (merged.Count - users) / (double)users;
    }
}
