using PushApi.Access;
using PushApi.Endpoints;
using PushBackplane;
using PushHosting;
using PushHosting.Network;
using PushHosting.Startup;

namespace PushApi;

internal static class Program
{
    private static Task<int> Main(string[] args) => args is [KeyCommand.Name, .. var arguments]
        ? Task.FromResult(KeyCommand.Run(arguments))
        : PushProgram.RunAsync(() => Create(args));

    private static WebApplication Create(string[] args)
    {
        var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://localhost:7799");
        // A publisher sends its few headers at once; a client that takes longer only holds a connection.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10));

        builder.Services.AddBackplane(builder.Configuration, PushProgram.DefaultName(builder), defaultRedis: "localhost:6379");
        builder.Services.AddManagement(builder.Configuration, defaultPort: 9465);
        builder.Services.AddTrustedProxies(builder.Configuration);
        builder.Services.AddPushApi(builder.Configuration);

        var app = builder.Build();
        app.MapPushApi();
        return app;
    }
}
