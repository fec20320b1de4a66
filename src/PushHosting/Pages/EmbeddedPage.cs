using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace PushHosting.Pages;

/// <summary>
/// A page whose files are embedded in an assembly, so that a program serves it from wherever it is started. The files are read once.
/// Immutable; any thread.
/// </summary>
/// <example>
/// The project file embeds the folder <c>LiveRoom</c> under the names that <c>new EmbeddedPage(assembly, "LiveRoom", policy)</c> looks for:
/// <code>&lt;EmbeddedResource Include="LiveRoom/Files/*" LogicalName="LiveRoom/%(Filename)%(Extension)" /&gt;</code>
/// </example>
public sealed class EmbeddedPage
{
    private const string Index = "index.html";

    private readonly Dictionary<string, EmbeddedFile> _files = [];
    private readonly string _policy;

    /// <summary>Reads the files.</summary>
    /// <param name="assembly">Has them as resources with the logical names <c>{name}/{file}</c>.</param>
    /// <param name="name">The page's name in the assembly; it has an <c>index.html</c>.</param>
    /// <param name="contentSecurityPolicy">What the page may load and call, as in the header Content-Security-Policy.</param>
    /// <param name="made">Further files by name, which the program has made itself.</param>
    /// <exception cref="InvalidOperationException">The assembly has no such page.</exception>
    public EmbeddedPage(Assembly assembly, string name, string contentSecurityPolicy, params (string Name, byte[] Content)[] made)
    {
        _policy = contentSecurityPolicy;
        foreach (var resource in assembly.GetManifestResourceNames().Where(resource => resource.StartsWith(name + "/", StringComparison.Ordinal)))
        {
            using var content = assembly.GetManifestResourceStream(resource)!;
            _files.Add(resource[(name.Length + 1)..], EmbeddedFile.Read(resource, content));
        }

        foreach (var (file, content) in made)
            _files.Add(file, new EmbeddedFile(file, content));
        if (!_files.ContainsKey(Index))
            throw new InvalidOperationException($"{assembly.GetName().Name} has no embedded {name}/{Index}.");
    }

    /// <summary>The paths of all files relative to the page's own: empty for <c>index.html</c>, "style.css" for example.</summary>
    public IEnumerable<string> Paths => _files.Keys.Select(file => file == Index ? "" : file);

    /// <summary>
    /// Answers a GET or HEAD with a file, or with 304 if the browser has it already. Browsers ask again each time (<c>no-cache</c>), and do
    /// not guess types, frame the page, or tell other sites about it.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="path">One of <see cref="Paths"/>.</param>
    /// <returns>Whether there is such a file; otherwise nothing is answered.</returns>
    public async Task<bool> TryAnswerAsync(HttpContext context, string path)
    {
        if (!_files.TryGetValue(path.Length == 0 ? Index : path, out var file))
            return false;

        var response = context.Response;
        response.Headers.ETag = file.ETag;
        response.Headers.CacheControl = "no-cache";
        response.Headers.ContentSecurityPolicy = _policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (IsCurrent(context.Request, file))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return true;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = file.Bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(file.Bytes, context.RequestAborted);
        return true;
    }

    private static bool IsCurrent(HttpRequest request, EmbeddedFile file) =>
        request.GetTypedHeaders().IfNoneMatch.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(new EntityTagHeaderValue(file.ETag), useStrongComparison: false));
}
