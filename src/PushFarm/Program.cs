using Microsoft.Extensions.Configuration.Memory;
using PushApi;
using PushApi.Access;
using PushApi.Endpoints;
using PushApi.Settings;
using PushHosting;
using PushHosting.Network;
using PushHosting.Settings;
using PushHosting.Startup;
using PushNode;

namespace PushFarm;

/// <summary>
/// Publish API and push node in one process, on two ports: a complete farm on the memory backplane, or a member of a larger one on Redis.
/// </summary>
internal static class Program
{
    private const int ManagementPort = 9464;

    private static readonly KeyValuePair<string, string?>[] Defaults = [new("Push:LiveRoom:Enabled", "true")];

    private static Task<int> Main(string[] args)
    {
        if (args is [KeyCommand.Name, .. var arguments])
            return Task.FromResult(KeyCommand.Run(arguments));

        var settings = new FarmSettings();
        return PushProgram.RunAsync(Create, app => Console.WriteLine(Welcome.Text(app, settings)));

        WebApplication Create()
        {
            var builder = PushProgram.CreateBuilder(args);
            AddLowest(builder.Configuration, Defaults);
            if (PushNodeServices.HasLiveRoom(builder.Configuration))
                AddLowest(builder.Configuration, DemoHistory.For(builder.Configuration));
            settings = builder.Services.ReadSettings<FarmSettings>(builder.Configuration, FarmSettings.Section);
            RefuseOtherAddresses(builder.Configuration);
            builder.UseUrl("Farm:NodeUrl", settings.NodeUrl).UseUrl("Farm:ApiUrl", settings.ApiUrl);

            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                if (endpoint.IPEndPoint?.Port == settings.NodePort)
                    endpoint.UseForClients();
            }));

            var name = $"{Environment.MachineName}:{settings.NodePort}";
            builder.Services.AddPushNode(builder.Configuration, name, defaultRedis: null).LimitHost();
            var hasLiveRoom = PushNodeServices.HasLiveRoom(builder.Configuration);
            var liveRoom = LiveRoomAddresses.Of(settings);
            builder.Services.AddPushApi(builder.Configuration, hasLiveRoom ? [.. liveRoom.Pages] : []);
            builder.Services.AddSingleton(liveRoom);
            CheckMessageSizes(builder.Configuration);
            builder.Services.AddManagement(builder.Configuration, ManagementPort);
            builder.Services.AddTrustedProxies(builder.Configuration);
            builder.Services.AddSingleton<MatcherPolicy, LocalPortPolicy>();

            var app = builder.Build();
            app.MapPushNode().WithMetadata(new LocalPortPolicy.LocalPort(settings.NodePort));
            var api = app.MapPushApi();
            api.WithMetadata(new LocalPortPolicy.LocalPort(settings.ApiPort));
            if (hasLiveRoom)
                api.MapLiveRoomRoutes().Needs(ApiScope.Admin, allRooms: true);
            return app;
        }
    }

    /// <summary>Adds the lowest configuration source, so that each key can be set.</summary>
    private static void AddLowest(ConfigurationManager configuration, IEnumerable<KeyValuePair<string, string?>> keys) =>
        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = keys.ToArray() });

    /// <summary>Refuses ASP.NET's settings for addresses: they do not say which half of the program they are for.</summary>
    private static void RefuseOtherAddresses(ConfigurationManager configuration)
    {
        var endpoint = configuration.GetSection("Kestrel:Endpoints").AsEnumerable().FirstOrDefault(pair => pair.Value is not null).Key;
        if ((string.IsNullOrEmpty(configuration[WebHostDefaults.ServerUrlsKey]) ? endpoint : "urls") is { } key)
            throw new SettingsException($"{key} has no meaning for PushFarm, which has two addresses; it accepts Farm:NodeUrl and Farm:ApiUrl.");
    }

    /// <summary>Refuses settings under which the node would drop messages that the API accepts.</summary>
    private static void CheckMessageSizes(IConfiguration configuration)
    {
        var published = StrictSettings.Read<PushApiSettings>(configuration, PushApiSettings.Section).MaxMessageBytes;
        var accepted = PushNodeServices.LargestMessage(configuration);
        if (published > accepted)
        {
            throw new SettingsException(
                $"PushApi:MaxMessageBytes is {published}; it accepts at most {PushNodeServices.LargestMessageKey}, which is {accepted}: "
                + "the node drops larger messages.");
        }
    }
}
