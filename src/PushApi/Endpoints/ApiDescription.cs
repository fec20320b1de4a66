using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>Describes the routes for the OpenAPI document. The bodies are read as bytes, so nothing of this can be derived from types.</summary>
internal static class ApiDescription
{
    /// <summary>The document's name, as in <c>/openapi/v1.json</c>.</summary>
    public const string Document = "v1";

    private const string RoomRule = "1 to 128 bytes of UTF-8, percent-encoded; no control characters, no '/', not '.' or '..'.";

    /// <summary>Sets up the document: only the API's own routes, whatever else the host serves.</summary>
    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = route => route.GroupName == Document;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "RedisPush publish API",
                Version = Document,
                Description = "Publishes messages to rooms. A message is one JSON value and is passed on byte for byte.",
            };
            return Task.CompletedTask;
        });
    }

    public static void DescribeRoom(this RouteHandlerBuilder route) => route.Describe("publishToRoom", "Publishes to one room.", MessageBodies(), operation =>
        operation.Parameters =
        [
            new OpenApiParameter
            {
                Name = "room",
                In = ParameterLocation.Path,
                Required = true,
                Description = RoomRule,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1 },
            },
        ]);

    public static void DescribeBroadcast(this RouteHandlerBuilder route) => route.Describe("broadcast", "Publishes to everybody.", MessageBodies());

    public static void DescribeRooms(this RouteHandlerBuilder route) => route.Describe("publishToRooms", "Publishes every item to every room.", new()
    {
        ["application/json"] = new()
        {
            Schema = Object(("rooms", Array(Text("A room: " + RoomRule), unique: true)), ("items", Array(AnyJson()))),
            Example = JsonNode.Parse("""{"rooms":["a","b"],"items":[{"text":"hi"},"bye"]}"""),
        },
    });

    public static void DescribeRoomForm(this RouteHandlerBuilder route) => route.Describe("goPushRoom", "go-push's form: publishes to one room.", new()
    {
        ["application/x-www-form-urlencoded"] = new() { Schema = Object(("room", Text(RoomRule)), ("items", Text("A JSON array of messages."))) },
    });

    public static void DescribeBroadcastForm(this RouteHandlerBuilder route) => route.Describe("goPushAll", "go-push's form: publishes to everybody.", new()
    {
        ["application/x-www-form-urlencoded"] = new() { Schema = Object(("items", Text("A JSON array of messages."))) },
    });

    private static void Describe(
        this RouteHandlerBuilder route, string name, string summary, Dictionary<string, OpenApiMediaType> bodies, Action<OpenApiOperation>? more = null)
    {
        route.WithGroupName(Document).WithName(name).WithTags("publish").WithSummary(summary);
        route.Produces<PublishAnswer>(StatusCodes.Status202Accepted);
        foreach (var status in Refusals)
            route.Produces<Problem>(status.Key, Problem.MediaType);

        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = bodies };
            more?.Invoke(operation);
            foreach (var (status, response) in operation.Responses ?? [])
            {
                if (response is OpenApiResponse described)
                    described.Description = status == "202" ? "Published, and confirmed by the backplane." : Refusals[int.Parse(status)];
            }
            return Task.CompletedTask;
        });
    }

    /// <summary>What each status of the catalogue stands for; 404 and 405 are no answers of these operations.</summary>
    private static Dictionary<int, string> Refusals { get; } = ProblemType.All
        .Where(kind => kind != ProblemType.NotFound && kind != ProblemType.MethodNotAllowed)
        .GroupBy(kind => kind.Status)
        .ToDictionary(group => group.Key, group => string.Join("; ", group.Select(kind => $"{kind.Uri}: {kind.Title}")));

    private static Dictionary<string, OpenApiMediaType> MessageBodies() => new()
    {
        ["application/json"] = new() { Schema = AnyJson(), Example = JsonNode.Parse("""{"text":"hi"}""") },
        ["application/x-ndjson"] = new() { Schema = Text("One JSON value per line."), Example = JsonValue.Create("{\"text\":\"hi\"}\n\"bye\"\n") },
        ["text/plain"] = new() { Schema = Text("Becomes one JSON string."), Example = JsonValue.Create("hi") },
    };

    private static OpenApiSchema AnyJson() => new() { Description = "A message: any JSON value of at most 64 levels." };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiSchema Array(OpenApiSchema items, bool unique = false) =>
        new() { Type = JsonSchemaType.Array, Items = items, MinItems = 1, UniqueItems = unique ? true : null };

    private static OpenApiSchema Object(params (string Name, IOpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = properties.ToDictionary(property => property.Name, property => property.Schema),
        Required = properties.Select(property => property.Name).ToHashSet(),
        AdditionalPropertiesAllowed = false,
    };
}
