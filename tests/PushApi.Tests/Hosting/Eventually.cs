namespace PushApi.Tests.Hosting;

/// <summary>Waits for a condition instead of sleeping.</summary>
public static class Eventually
{
    public static async Task IsTrue(Func<bool> condition, string otherwise)
    {
        var end = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < end, otherwise);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
