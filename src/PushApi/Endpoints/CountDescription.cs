using Microsoft.OpenApi;
using PushApi.Counts;
using PushApi.Problems;
using PushBackplane.Counts;

namespace PushApi.Endpoints;

/// <summary>Describes the routes that read counts for the OpenAPI document.</summary>
internal static class CountDescription
{
    public static void DescribeCountOfRoom(this RouteHandlerBuilder route) => route.Describe<RoomAnswer>(
        "readRoom", "Counts the members of one room.", [ProblemType.BadRoom, ProblemType.ForbiddenRoom], ApiDescription.RoomInPath());

    public static void DescribeCountOfRooms(this RouteHandlerBuilder route) => route.Describe<RoomsAnswer>(
        "readRooms", "Lists rooms: the largest, or all by name, in pages.", [ProblemType.BadQuery, ProblemType.ForbiddenRoom],
        Number("top", "How many of the largest rooms."), Number("limit", "How many rooms by name."), Text("prefix", "Only rooms whose names begin so."),
        Cursor());

    public static void DescribeCountOfUser(this RouteHandlerBuilder route) => route.Describe<UserAnswer>(
        "readUser", "Counts the connections of one user, and tells the user's ban and mutes.", [ProblemType.BadUser, ProblemType.ForbiddenRoom],
        ApiDescription.NameInPath("user", ApiDescription.RoomRule));

    public static void DescribeNodes(this RouteHandlerBuilder route) => route.Describe<NodesAnswer>(
        "readNodes", "Lists the nodes that report.", [ProblemType.BadQuery, ProblemType.ForbiddenRoom], Number("limit", "How many nodes."), Cursor());

    public static void DescribeStats(this RouteHandlerBuilder route) =>
        route.Describe<StatsAnswer>("readStats", "Sums over all nodes.", [ProblemType.ForbiddenRoom]);

    public static void DescribeGoPushStats(this RouteHandlerBuilder route) =>
        route.Describe<GoPushStats>("goPushStats", "The same sums by go-push's names.", [ProblemType.ForbiddenRoom]);

    private static void Describe<TAnswer>(
        this RouteHandlerBuilder route, string name, string summary, ProblemType[] problems, params IOpenApiParameter[] parameters) => route.Describe(
        name, "read", summary, (StatusCodes.Status200OK, typeof(TAnswer), "The counts; at most about two seconds old."),
        [ProblemType.CountsAway, .. problems],
        operation => operation.Parameters = [.. parameters]);

    private static OpenApiParameter Number(string name, string description) => Query(name, description, new OpenApiSchema
    {
        Type = JsonSchemaType.Integer,
        Minimum = "1",
        Maximum = $"{IFarmCounts.MaxPage}",
    });

    private static OpenApiParameter Text(string name, string description) =>
        Query(name, description, new OpenApiSchema { Type = JsonSchemaType.String });

    private static OpenApiParameter Cursor() => Text("cursor", "'next' of the page before.");

    private static OpenApiParameter Query(string name, string description, OpenApiSchema schema) => new()
    {
        Name = name,
        In = ParameterLocation.Query,
        Description = description,
        Schema = schema,
    };
}
