using System.Net;
using PushNode.LiveRoom;

namespace PushFarm;

/// <summary>Where the live room finds the program's API, and at which origins it may use it.</summary>
internal static class LiveRoomAddresses
{
    private static readonly string[] ThisMachine = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>
    /// Only exact origins that follow from the settings. At other names of this machine, and on other machines, the page can watch: the API
    /// accepts publishers on this machine unless the operator says otherwise.
    /// </summary>
    public static LiveRoomFarm Of(FarmSettings settings)
    {
        var node = BindingAddress.Parse(settings.NodeUrl).Host;
        var api = BindingAddress.Parse(settings.ApiUrl).Host;
        var isHere = FarmSettings.IsEvery(node) || IsLoopback(node);
        var hosts = isHere ? ThisMachine : IsLoopback(api) ? [] : [node];
        return new LiveRoomFarm(
            FarmSettings.IsEvery(api) && !isHere ? $"http://{node}:{settings.ApiPort}" : FarmSettings.Reachable(settings.ApiUrl),
            [.. hosts.Select(host => $"http://{host}:{settings.NodePort}")]);
    }

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
