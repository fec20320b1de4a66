using Microsoft.AspNetCore.Http;
using PushHosting.Pages;
using PushHosting.Settings;
using PushHosting.Status;

namespace PushHosting.Management;

/// <summary>
/// The node's page for browsers: its files at <c>/</c>, and its JSON at <c>/status</c> and below. It shows names of rooms, so unlike the
/// other management pages it keeps out web pages that the operator's browser has open. Immutable; any thread.
/// </summary>
internal sealed class NodePage
{
    private const string StatusPath = "/status";

    /// <summary>Only its own files and its own JSON; nobody frames it.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'";

    private readonly EmbeddedPage _files = new(typeof(NodePage).Assembly, nameof(NodePage), Policy);
    private readonly Dictionary<string, Func<HttpContext, Task>> _paths;
    private readonly AllowList _hosts;

    public NodePage(ManagementSettings settings, StatusPage status, SettingsPage shown, IEnumerable<IStatusPart> parts)
    {
        _hosts = new AllowList(settings.AllowedHosts);
        _paths = _files.Paths.ToDictionary<string, string, Func<HttpContext, Task>>(
            path => $"/{path}", path => context => _files.TryAnswerAsync(context, path));
        _paths.Add(StatusPath, context => AnswerAsync(context, status.Answer(context.Request.Query)));
        _paths.Add($"{StatusPath}/settings", context => AnswerAsync(context, shown.Answer()));
        foreach (var part in parts)
            _paths.Add($"{StatusPath}/{part.Name}", context => AnswerAsync(context, part.Answer(context.Request.QueryString)));
    }

    /// <summary>What answers a path; null if the page has no such path.</summary>
    public Func<HttpContext, Task>? Find(string path) => _paths.GetValueOrDefault(path);

    /// <summary>
    /// Why a request for one of the page's paths is refused, or null. DNS rebinding needs a host name in the attacker's DNS. Browsers say
    /// when another site's page asks; a link from there may open the page, but only the page itself gets its JSON.
    /// </summary>
    public string? Refusal(HttpRequest request)
    {
        if (!HostNames.CannotBeRebound(request.Host.Host) && !_hosts.Contains(request.Host.Host))
            return "The node's page accepts IP addresses, localhost, names without a dot and the names in Management:AllowedHosts as its Host.";
        var isStatus = request.Path.StartsWithSegments(StatusPath);
        return isStatus && request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "none" or "same-origin")
            ? "A browser sent this for a web page of another site; only the node's page itself may ask."
            : null;
    }

    private static Task AnswerAsync(HttpContext context, StatusAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = answer.Json.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return response.Body.WriteAsync(answer.Json, context.RequestAborted).AsTask();
    }
}
