using System.Globalization;
using PushBackplane.Counts;
using PushNode.Subscription;

namespace PushNode.Tests.Counts;

/// <summary>The distinct users of one room.</summary>
public sealed class RoomUsersTests(ITestOutputHelper output)
{
    [Fact]
    public void Random_users_have_the_count_and_the_smallest_hashes_of_the_truth()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        var users = new RoomUsers();
        var truth = new SortedDictionary<ulong, int>();
        ulong[] everybody = [.. Enumerable.Range(0, 1_000).Select(_ => (ulong)random.NextInt64(1, 1L << 52)).Distinct()];
        var last = UserSketch.Empty;
        for (var step = 0; step < 200; step++)
        {
            // Grows beyond the sketch's size and comes back.
            var growing = step % 100 < 60;
            for (var i = 0; i < 30; i++)
            {
                var user = everybody[random.Next(everybody.Length)];
                var connections = truth.GetValueOrDefault(user);
                if (connections == 0 || (growing && random.Next(2) == 0))
                {
                    if (!growing && random.Next(4) > 0)
                        continue;
                    users.Enter(user);
                    truth[user] = connections + 1;
                }
                else
                {
                    users.Leave(user);
                    if (connections == 1)
                        truth.Remove(user);
                    else
                        truth[user] = connections - 1;
                }
            }

            if (random.Next(10) == 0)
                users.PutBack();
            last = users.TakeChange() ?? last;
            Assert.Equal(truth.Count, last.Count);
            Assert.Equal(truth.Keys.Take(UserSketch.Size), last.Smallest.ToArray());
            Assert.Null(users.TakeChange());
        }
    }
}
