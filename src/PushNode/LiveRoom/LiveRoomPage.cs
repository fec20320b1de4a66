using System.Text.Json;
using PushHosting.Pages;
using PushNode.Settings;

namespace PushNode.LiveRoom;

/// <summary>
/// The page at <c>/</c>, whose files are under <c>/live</c>, and what it has to know about the node. It contains nothing of a request, and
/// nothing that clients may not know. Immutable; any thread.
/// </summary>
internal sealed class LiveRoomPage
{
    private const string Folder = "/live/";
    private const string Name = "LiveRoom";
    private const string SettingsFile = "settings.json";

    private readonly EmbeddedPage _page;

    /// <param name="settings">Where the page publishes.</param>
    /// <param name="merge">How the node merges, which the page explains.</param>
    /// <param name="compression">From which size on the node deflates.</param>
    /// <param name="farm">The program's own publish API; null if it has none.</param>
    /// <param name="hasGuests">Whether the program gives its readers tokens.</param>
    public LiveRoomPage(LiveRoomSettings settings, MergeSettings merge, CompressionSettings compression, LiveRoomFarm? farm, bool hasGuests)
    {
        var isOwnApi = farm is not null && settings.ApiUrl.Length == 0;
        var api = isOwnApi ? farm!.ApiUrl : settings.ApiUrl.TrimEnd('/');
        var known = JsonSerializer.SerializeToUtf8Bytes(
            new PageSettings(
                api,
                isOwnApi ? farm!.Pages : null,
                farm is not null,
                isOwnApi && hasGuests,
                (int)merge.Window.TotalMilliseconds,
                (int)merge.Gather.TotalMilliseconds,
                compression.Enabled ? compression.MinBytes : 0),
            JsonSerializerOptions.Web);
        _page = new EmbeddedPage(typeof(LiveRoomPage).Assembly, Name, Policy(api), (SettingsFile, known));
    }

    /// <summary>Maps the page and its files.</summary>
    public void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var path in _page.Paths)
        {
            endpoints.Map(
                path.Length == 0 ? "/" : Folder + path,
                (HttpContext context) => IsRead(context) ? _page.TryAnswerAsync(context, path) : Task.CompletedTask);
        }
    }

    /// <summary>
    /// Only what the page consists of and calls: no other scripts, no inline ones, no frames. 'self' includes the node's WebSocket.
    /// </summary>
    private static string Policy(string api)
    {
        var apiOrigin = api.Length > 0 ? $" {new Uri(api).GetLeftPart(UriPartial.Authority)}" : "";
        return $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{apiOrigin}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    /// <summary>Whether the request is a GET or HEAD; the others are refused.</summary>
    private static bool IsRead(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            return true;
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        context.Response.Headers.Allow = "GET, HEAD";
        return false;
    }

    /// <param name="Api">The publish API, or empty.</param>
    /// <param name="Pages">Origins at which the page can publish; null if the page does not know and has to try.</param>
    /// <param name="Farm">Whether the API can drain the node: it is in the same program.</param>
    /// <param name="Guests">Whether the API gives tokens for names.</param>
    /// <param name="WindowMs">The merge window.</param>
    /// <param name="GatherMs">How long a quiet room's first message waits.</param>
    /// <param name="DeflateFrom">The shortest frame that the node deflates, in bytes; 0 if it deflates none.</param>
    private sealed record PageSettings(string Api, IReadOnlyList<string>? Pages, bool Farm, bool Guests, int WindowMs, int GatherMs, int DeflateFrom);
}
