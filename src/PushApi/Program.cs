using PushApi.Endpoints;
using PushBackplane;
using PushHosting;
using PushHosting.Startup;

namespace PushApi;

internal static class Program
{
    private static Task<int> Main(string[] args) => PushProgram.RunAsync(() => Create(args));

    private static WebApplication Create(string[] args)
    {
        var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://localhost:7799");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A publisher sends its few headers at once; whoever takes longer holds a connection for nothing.
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        });

        builder.Services.AddBackplane(builder.Configuration, PushProgram.DefaultName(builder), defaultRedis: "localhost:6379");
        builder.Services.AddManagement(builder.Configuration, defaultPort: 9465);
        builder.Services.AddPushApi(builder.Configuration);

        var app = builder.Build();
        app.MapPushApi();
        return app;
    }
}
