using System.Net;
using System.Text.Json;

namespace TestSupport.Clients;

/// <summary>A response, read to its end.</summary>
public sealed record HttpAnswer(HttpStatusCode Status, string? MediaType, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement JsonBody
    {
        get
        {
            using var document = JsonDocument.Parse(Body);
            return document.RootElement.Clone();
        }
    }
}
