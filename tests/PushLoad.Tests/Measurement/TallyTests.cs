using PushLoad.Measurement;

namespace PushLoad.Tests.Measurement;

public sealed class TallyTests
{
    [Fact]
    public void A_server_cannot_fill_the_memory_with_reasons()
    {
        var reasons = new Dictionary<string, long>();
        for (var i = 0; i < 10_000; i++)
            Tally.Count(reasons, $"ERROR {i}{new string('x', 10_000)}");
        Assert.Equal(101, reasons.Count);
        Assert.Equal(10_000 - 100, reasons["other"]);
        Assert.All(reasons.Keys, reason => Assert.InRange(reason.Length, 1, 100));
    }
}
