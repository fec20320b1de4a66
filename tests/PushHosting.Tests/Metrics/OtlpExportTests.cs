using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Metrics;

public sealed class OtlpExportTests
{
    [Fact]
    public async Task The_last_measurements_are_exported_before_the_host_ends()
    {
        TaskCompletionSource<byte[]> received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var collector = await TestHost.StartAsync(map: app => app.MapPost("/v1/metrics", async (HttpContext context) =>
        {
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            received.TrySetResult(body.ToArray());
        }));
        await using var host = await TestHost.StartAsync(builder =>
        {
            // In configuration, because all tests share the environment.
            builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Public.ToString();
            builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
            builder.Services.AddExportedMeter("PushHosting.Tests");
        });
        host.App.Services.GetRequiredService<IMeterFactory>().Create("PushHosting.Tests").CreateCounter<long>("push.last_words").Add(1);

        await host.App.StopAsync(TestContext.Current.CancellationToken);

        var request = await received.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Contains("push.last_words", Encoding.Latin1.GetString(request), StringComparison.Ordinal);
    }
}
