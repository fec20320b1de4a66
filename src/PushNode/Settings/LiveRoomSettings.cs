using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:LiveRoom</c>: a page for people who want to see the farm at work (docs/live-room.md).</summary>
internal sealed class LiveRoomSettings : ICheckedSettings
{
    /// <summary>
    /// Whether the node serves the page. Off, because a farm's clients have pages of their own; PushFarm, which is for trying, turns it on.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The publish API as browsers reach it. Empty: the page can only watch, except that PushFarm's page knows PushFarm's own API.
    /// </summary>
    public string ApiUrl { get; set; } = "";

    /// <summary>
    /// Whether PushFarm's page gets tokens for the names that its readers choose, while <see cref="AuthSettings.Mode"/> is Off. On, because
    /// anyone who can have one can also publish without.
    /// </summary>
    public bool Guests { get; set; } = true;

    public string? Problem(string section) => ApiUrl.Length == 0 || IsUrl(ApiUrl)
        ? null
        : $"{section}:ApiUrl is '{ApiUrl}'; it accepts an http or https address without a query, for example http://localhost:7799.";

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        && url is { Query: "", Fragment: "", UserInfo: "" } && !text.Contains('?') && !text.Contains('#');
}
