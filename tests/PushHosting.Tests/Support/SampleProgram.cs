using Microsoft.Extensions.DependencyInjection;
using PushHosting.Management;
using PushHosting.Settings;
using PushHosting.Startup;

namespace PushHosting.Tests.Support;

/// <summary>A program of the farm, as small as possible.</summary>
internal static class SampleProgram
{
    public const string Started = "started ";

    public static Task<int> MainAsync(string[] args) => PushProgram.RunAsync(
        () =>
        {
            var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://127.0.0.1:0");
            StrictSettings.Read<SampleSettings>(builder.Configuration, "Push");
            if (builder.Configuration["Sample:OwnUrl"] is { } url)
                builder.UseUrl("Sample:OwnUrl", url);
            builder.Services.AddManagement(builder.Configuration, 0);
            var app = builder.Build();
            if (builder.Configuration["Sample:Bug"] is { } bug)
                throw new InvalidOperationException(bug);
            return app;
        },
        app => Console.WriteLine($"{Started}{app.Urls.First()} {app.Services.GetRequiredService<ManagementEndpoint>().Url}"));
}
