using Microsoft.AspNetCore.Server.Kestrel.Core;
using PushHosting;

namespace PushNode;

internal static class Program
{
    private const int ManagementPort = 9464;

    private static Task<int> Main(string[] args) => PushProgram.RunAsync(() =>
    {
        var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://*:7777");
        // A WebSocket of HTTP/2 is a stream of a shared connection, which nothing here is made for.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1));
        builder.Services.AddPushNode(builder.Configuration, PushProgram.DefaultName(builder), defaultRedis: "localhost:6379", PushProgram.PlainPorts(builder));
        builder.Services.AddManagement(builder.Configuration, ManagementPort);

        var app = builder.Build();
        app.MapPushNode();
        return app;
    });
}
