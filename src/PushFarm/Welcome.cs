using PushHosting.Management;
using PushNode;

namespace PushFarm;

/// <summary>The text printed on start: the program's addresses and two commands to try.</summary>
internal static class Welcome
{
    public static string Text(WebApplication app, FarmSettings settings)
    {
        var node = FarmSettings.Reachable(settings.NodeUrl);
        var api = FarmSettings.Reachable(settings.ApiUrl);
        var management = app.Services.GetRequiredService<ManagementEndpoint>().Url;
        var hasLiveRoom = PushNodeServices.HasLiveRoom(app.Configuration);
        var liveRoom = hasLiveRoom ? $"\n  live room   {node}" : "";
        var invitation = hasLiveRoom ? "open the live room in a browser, or " : "";
        return $$"""
            {{liveRoom}}
              clients     ws{{node["http".Length..]}}/ws?room=demo
              publishers  {{api}}
              management  {{management}}

            Try it: {{invitation}}listen in one terminal and publish in another.
              curl -N '{{node}}/stream?room=demo'
              curl -H 'Content-Type: application/json' -d '{"text":"hello"}' {{api}}/v1/rooms/demo/messages

            """;
    }
}
