using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Endpoints;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

public class RequestGuardTests
{
    /// <summary>
    /// Otherwise Kestrel answers what one connection pipelines on one thread for as long as it keeps coming, and a hundred such connections keep every other publisher waiting.
    /// </summary>
    [Fact]
    public async Task Each_request_queues_for_a_thread_behind_other_connections()
    {
        await using var api = await ApiHost.StartAsync();
        using var answered = new ManualResetEventSlim();
        var answeredBy = 0;
        var answer = new RequestGuard(api.Services.GetRequiredService<PageAccess>()).Around(_ =>
        {
            answeredBy = Environment.CurrentManagedThreadId;
            answered.Set();
            return Task.CompletedTask;
        });

        await Task.Run(
            () =>
            {
                var answering = answer(new DefaultHttpContext { RequestServices = api.Services });
                // This thread is held, so the thread that answers now has taken the request from the pool's queue.
                Assert.True(answered.Wait(TimeSpan.FromSeconds(60)), "The request was not answered.");
                Assert.NotEqual(Environment.CurrentManagedThreadId, answeredBy);
                return answering;
            },
            TestContext.Current.CancellationToken);
    }
}
