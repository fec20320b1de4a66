using PushNode.Transport.Epoll;

namespace PushNode.Tests.Transport.Epoll;

public sealed class HandlerTableTests
{
    [Theory]
    [InlineData(83)]
    [InlineData(84)]
    public void A_key_finds_only_its_handler_and_nothing_after_removal(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var table = new HandlerTable();
        var taken = new Dictionary<ulong, EpollHandler>();
        var removed = new List<ulong>();
        for (var step = 0; step < 20_000; step++)
        {
            if (taken.Count == 0 || random.Next(10) < (step / 2000 % 2 == 0 ? 7 : 3))
            {
                var handler = new Handler();
                var key = table.Add(handler);
                Assert.NotEqual(0UL, key);
                taken.Add(key, handler);
            }
            else
            {
                var key = taken.Keys.ElementAt(random.Next(Math.Min(taken.Count, 20)));
                taken.Remove(key);
                table.Remove(key);
                removed.Add(key);
            }

            if (step % 500 == 0)
            {
                Assert.All(taken, entry => Assert.Same(entry.Value, table.Find(entry.Key)));
                Assert.All(removed, key => Assert.Null(table.Find(key)));
            }
        }
    }

    [Fact]
    public void A_key_can_be_removed_only_once()
    {
        var table = new HandlerTable();
        var key = table.Add(new Handler());
        table.Remove(key);
        Assert.Throws<InvalidOperationException>(() => table.Remove(key));
        Assert.Throws<InvalidOperationException>(() => table.Replace(key, new Handler()));

        // It does not find the handler that has the slot now either.
        var later = new Handler();
        var laterKey = table.Add(later);
        Assert.Throws<InvalidOperationException>(() => table.Remove(key));
        Assert.Same(later, table.Find(laterKey));
        Assert.NotEqual(laterKey, table.Add(new Handler()));
    }

    private sealed class Handler : EpollHandler
    {
        public override void OnFailed(Exception bug) => throw bug;

        public override void OnEvents(uint events)
        {
        }
    }
}
