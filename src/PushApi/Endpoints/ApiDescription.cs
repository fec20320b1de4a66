using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>Describes the routes for the OpenAPI document. The bodies are read as bytes, so types cannot describe them.</summary>
internal static class ApiDescription
{
    /// <summary>The document's name, as in <c>/openapi/v1.json</c>.</summary>
    public const string Document = "v1";

    private const string RoomRule = "1 to 128 bytes of UTF-8; no control characters, no '/', not '.' or '..'.";

    private static readonly ProblemType[] AboutRooms = [ProblemType.BadRoom, ProblemType.TooManyRooms];

    /// <summary>Sets up the document, which has only the API's own routes, whatever else the host serves.</summary>
    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = route => route.GroupName == Document;
        options.AddSchemaTransformer(DescribeAsWritten);
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

    public static void DescribeRoom(this RouteHandlerBuilder route) =>
        route.Describe("publishToRoom", "Publishes to one room.", MessageBodies(), never: [ProblemType.TooManyRooms], operation => operation.Parameters =
        [
            new OpenApiParameter
            {
                Name = "room",
                In = ParameterLocation.Path,
                Required = true,
                Description = "Percent-encoded. " + RoomRule,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1 },
            },
        ]);

    public static void DescribeBroadcast(this RouteHandlerBuilder route) =>
        route.Describe("broadcast", "Publishes to everybody.", MessageBodies(), never: AboutRooms);

    public static void DescribeRooms(this RouteHandlerBuilder route) => route.Describe("publishToRooms", "Publishes every item to every room.", new()
    {
        ["application/json"] = new()
        {
            Schema = Object(("rooms", Array(Text("A room: " + RoomRule), unique: true)), ("items", Array(AnyJson()))),
            Example = JsonNode.Parse("""{"rooms":["a","b"],"items":[{"text":"hi"},"bye"]}"""),
        },
    }, never: []);

    public static void DescribeRoomForm(this RouteHandlerBuilder route) => route.Describe("goPushRoom", "go-push's form: publishes to one room.", new()
    {
        ["application/x-www-form-urlencoded"] = new() { Schema = Object(("room", Text(RoomRule)), ("items", Text("A JSON array of messages."))) },
    }, never: [ProblemType.TooManyRooms]);

    public static void DescribeBroadcastForm(this RouteHandlerBuilder route) => route.Describe("goPushAll", "go-push's form: publishes to everybody.", new()
    {
        ["application/x-www-form-urlencoded"] = new() { Schema = Object(("items", Text("A JSON array of messages."))) },
    }, never: AboutRooms);

    private static void Describe(
        this RouteHandlerBuilder route,
        string name,
        string summary,
        Dictionary<string, OpenApiMediaType> bodies,
        ProblemType[] never,
        Action<OpenApiOperation>? more = null)
    {
        var answers = ProblemType.All
            .Except([ProblemType.NotFound, ProblemType.MethodNotAllowed, .. never])
            .GroupBy(kind => kind.Status.ToString(CultureInfo.InvariantCulture))
            .ToDictionary(group => group.Key, group => string.Join("; ", group.Select(kind => $"{kind.Uri}: {kind.Title}")));
        foreach (var status in answers.Keys)
            route.Produces<Problem>(int.Parse(status, CultureInfo.InvariantCulture), Problem.MediaType);

        answers.Add("202", "Published, and confirmed by the backplane.");
        route.Produces<PublishAnswer>(StatusCodes.Status202Accepted);

        route.WithGroupName(Document).WithName(name).WithTags("publish").WithSummary(summary);
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = bodies };
            foreach (var (status, response) in operation.Responses ?? [])
                response.Description = answers[status];
            more?.Invoke(operation);
            return Task.CompletedTask;
        });
    }

    /// <summary>
    /// The framework describes the types as it could read them, with numbers as strings and members that may be null. These types are only
    /// written, and members without a value are omitted.
    /// </summary>
    private static Task DescribeAsWritten(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancelled)
    {
        if (schema.Type is { } type && type.HasFlag(JsonSchemaType.Integer))
        {
            schema.Type = JsonSchemaType.Integer;
            schema.Pattern = null;
        }
        else if (schema.Type is { } nullable)
        {
            schema.Type = nullable & ~JsonSchemaType.Null;
        }

        if (context.JsonTypeInfo.Type == typeof(Problem))
            schema.Required = new HashSet<string> { "type", "title", "status", "detail" };
        return Task.CompletedTask;
    }

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
