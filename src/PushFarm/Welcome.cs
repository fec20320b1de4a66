using PushHosting.Management;

namespace PushFarm;

/// <summary>The text printed on start: the program's addresses and two commands to try.</summary>
internal static class Welcome
{
    public static string Text(WebApplication app, FarmSettings settings)
    {
        var node = Reachable(settings.NodeUrl);
        var api = Reachable(settings.ApiUrl);
        var management = app.Services.GetRequiredService<ManagementEndpoint>().Url;
        return $$"""

              clients     ws{{node["http".Length..]}}/ws?room=demo
              publishers  {{api}}
              management  {{management}}

            Try it: listen in one terminal and publish in another.
              curl -N '{{node}}/stream?room=demo'
              curl -H 'Content-Type: application/json' -d '{"text":"hello"}' {{api}}/v1/rooms/demo/messages

            """;
    }

    /// <summary>An address to call. One that listens on every interface is called by name.</summary>
    private static string Reachable(string url)
    {
        var address = BindingAddress.Parse(url);
        return $"{address.Scheme}://{(address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host)}:{address.Port}";
    }
}
