using PushHosting;
using PushHosting.Network;
using PushHosting.Startup;

namespace PushNode;

internal static class Program
{
    private const int ManagementPort = 9464;

    private static Task<int> Main(string[] args) => PushProgram.RunAsync(() =>
    {
        var builder = PushProgram.CreateBuilder(args).UseDefaultUrl("http://*:7777");
        HashSet<int> plain = [.. PushProgram.PlainPorts(builder)];
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(
            endpoint => endpoint.UseForClients(tls: !plain.Contains(endpoint.IPEndPoint?.Port ?? 0))));
        builder.Services.AddPushNode(builder.Configuration, PushProgram.DefaultName(builder), defaultRedis: "localhost:6379").LimitHost();
        builder.Services.AddManagement(builder.Configuration, ManagementPort);
        builder.Services.AddTrustedProxies(builder.Configuration);

        var app = builder.Build();
        app.MapPushNode();
        return app;
    });
}
