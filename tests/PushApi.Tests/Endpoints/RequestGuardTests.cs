using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Access;
using PushApi.Endpoints;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

public class RequestGuardTests
{
    /// <summary>
    /// Otherwise Kestrel serves one connection's pipelined requests on one thread for as long as they keep coming, and a hundred such
    /// connections keep every other publisher waiting.
    /// </summary>
    [Fact]
    public async Task A_request_that_never_waits_makes_its_connection_queue_for_a_thread()
    {
        await using var api = await ApiHost.StartAsync();
        var threads = new ThreadQueue();
        var serving = threads.Call(() => Guard(api, Task.CompletedTask));
        Assert.Equal(1, threads.Queued);
        await serving;
    }

    [Fact]
    public async Task A_request_that_waits_does_not_queue_for_a_thread_as_well()
    {
        await using var api = await ApiHost.StartAsync();
        var threads = new ThreadQueue();
        var confirmed = new TaskCompletionSource();
        var serving = threads.Call(() => Guard(api, confirmed.Task));
        Assert.Equal(0, threads.Queued);
        confirmed.SetResult();
        await serving;
    }

    private static Task Guard(ApiHost api, Task answer)
    {
        var guard = new RequestGuard(api.Services.GetRequiredService<PageAccess>(), api.Services.GetRequiredService<ApiAccess>(), api.Services.GetRequiredService<Refusals>());
        return guard.Around(_ => answer, new RouteNeed(null, AllRooms: false))(new DefaultHttpContext { RequestServices = api.Services });
    }

    /// <summary>Counts what is queued for a thread while a method runs.</summary>
    private sealed class ThreadQueue : SynchronizationContext
    {
        public int Queued { get; private set; }

        public override void Post(SendOrPostCallback d, object? state)
        {
            Queued++;
            base.Post(d, state);
        }

        public Task Call(Func<Task> method)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                return method();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
