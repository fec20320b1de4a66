using PushHosting;
using PushHosting.Startup;

namespace PushNode;

internal static class Program
{
    private const int ManagementPort = 9464;

    private static Task<int> Main(string[] args) => PushProgram.RunAsync(() =>
    {
        var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://*:7777");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.UseForClients()));
        builder.Services.AddPushNode(builder.Configuration, PushProgram.DefaultName(builder), defaultRedis: "localhost:6379", PushProgram.PlainPorts(builder));
        builder.Services.AddManagement(builder.Configuration, ManagementPort);

        var app = builder.Build();
        app.MapPushNode();
        return app;
    });
}
