using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PushApi.Problems;
using PushApi.Requests;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>Describes the publish routes for the OpenAPI document. The bodies are read as bytes, so types cannot describe them.</summary>
internal static class PublishDescription
{
    /// <summary>What only other routes are refused for.</summary>
    private static readonly ProblemType[] AboutOthers =
    [
        ProblemType.BadUser, ProblemType.BadQuery, ProblemType.NoHistory, ProblemType.TooManyReads, ProblemType.CountsAway, ProblemType.HistoryAway,
        ProblemType.TooManyRestrictions, ProblemType.RestrictionsUnsupported,
    ];

    private static readonly ProblemType[] AboutRooms = [ProblemType.BadRoom, ProblemType.TooManyRooms];

    public static void DescribeRoom(this RouteHandlerBuilder route) =>
        route.Describe("publishToRoom", "Publishes to one room.", MessageBodies(), never: [ProblemType.TooManyRooms], ApiDescription.RoomInPath());

    public static void DescribeUser(this RouteHandlerBuilder route) => route.Describe(
        "publishToUser", "Publishes to the connections of one user.", MessageBodies(), never: AboutRooms,
        ApiDescription.NameInPath("user", ApiDescription.RoomRule), also: [ProblemType.BadUser]);

    public static void DescribeBroadcast(this RouteHandlerBuilder route) =>
        route.Describe("broadcast", "Publishes to everybody.", MessageBodies(), never: AboutRooms);

    public static void DescribeRooms(this RouteHandlerBuilder route) => route.Describe("publishToRooms", "Publishes every item to every room.", new()
    {
        ["application/json"] = new()
        {
            Schema = Object(("rooms", Array(Text("A room: " + ApiDescription.RoomRule), unique: true)), ("items", Array(AnyJson()))),
            Example = JsonNode.Parse("""{"rooms":["a","b"],"items":[{"text":"hi"},"bye"]}"""),
        },
    }, never: []);

    public static void DescribeRoomForm(this RouteHandlerBuilder route) => route.Describe("goPushRoom", "go-push's form: publishes to one room.", new()
    {
        ["application/x-www-form-urlencoded"] = new() { Schema = Object(("room", Text(ApiDescription.RoomRule)), ("items", Text("A JSON array of messages."))) },
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
        OpenApiParameter? inPath = null,
        ProblemType[]? also = null) => route.Describe(
        name,
        "publish",
        summary,
        (StatusCodes.Status202Accepted, typeof(PublishAnswer), "Published, and confirmed by the backplane."),
        ProblemType.All.Except([ProblemType.NotFound, ProblemType.MethodNotAllowed, .. AboutOthers, .. never]).Concat(also ?? []),
        operation =>
        {
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = bodies };
            operation.Parameters = inPath is null ? [IdempotencyKeyHeader()] : [inPath, IdempotencyKeyHeader()];
            ((OpenApiResponse)operation.Responses!["202"]).Headers = new Dictionary<string, IOpenApiHeader> { [KeyHeader.Replayed] = ReplayedHeader() };
        });

    private static OpenApiParameter IdempotencyKeyHeader() => new()
    {
        Name = KeyHeader.Name,
        In = ParameterLocation.Header,
        Description = "Requests with the same key, messages and rooms are published once in 120 s; later ones get the first answer again. "
            + "Printable ASCII without spaces, quotes and backslashes; may stand in double quotes.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyKey.MaxLength },
    };

    private static OpenApiHeader ReplayedHeader() => new()
    {
        Description = "'true' if everything had been published before with the same key, and nothing was published now.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("true")] },
    };

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
