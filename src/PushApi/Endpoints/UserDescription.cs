using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PushApi.Problems;
using PushApi.Requests;

namespace PushApi.Endpoints;

/// <summary>Describes the routes about users for the OpenAPI document.</summary>
internal static class UserDescription
{
    private static readonly ProblemType[] OfCommands = [ProblemType.BadUser, ProblemType.BackplaneAway, ProblemType.NotConfirmed];

    private static readonly ProblemType[] OfBodies =
    [
        ProblemType.BadBody, ProblemType.NoMessages, ProblemType.BodyTimeout, ProblemType.BodyTooLarge, ProblemType.UnsupportedType, ProblemType.TooMuchPending,
        ProblemType.ForbiddenRoom,
    ];

    private static readonly ProblemType[] OfRestrictions = [ProblemType.TooManyRestrictions, ProblemType.RestrictionsUnsupported];

    public static void DescribeDisconnect(this RouteHandlerBuilder route) => route.Describe(
        "disconnectUser", "Closes all connections of a user.", OfBodies, """{"reason":"maintenance of your account"}""", isRequired: false, UserBody.ReasonField);

    public static void DescribeRemove(this RouteHandlerBuilder route) =>
        route.Describe("removeUser", "Takes all connections of a user out of a room.", [ProblemType.BadRoom, ProblemType.ForbiddenRoom], null, isRequired: false);

    public static void DescribeBan(this RouteHandlerBuilder route) => route.Describe(
        "banUser", "Closes all connections of a user and accepts none for a time.", [.. OfBodies, .. OfRestrictions],
        """{"seconds":600,"reason":"spam"}""", isRequired: true, UserBody.SecondsField, UserBody.ReasonField);

    public static void DescribeUnban(this RouteHandlerBuilder route) =>
        route.Describe("unbanUser", "Lifts a user's ban.", [.. OfBodies, ProblemType.RestrictionsUnsupported], null, isRequired: false);

    public static void DescribeMute(this RouteHandlerBuilder route) => route.Describe(
        "muteUser", "Lets a user SEND nothing for a time, everywhere or in one room.", [.. OfBodies, .. OfRestrictions, ProblemType.BadRoom],
        """{"seconds":600,"reason":"caps","room":"demo"}""", isRequired: true, UserBody.SecondsField, UserBody.ReasonField, UserBody.RoomField);

    public static void DescribeUnmute(this RouteHandlerBuilder route) => route.Describe(
        "unmuteUser", "Lifts a user's mute, everywhere or in one room.", [.. OfBodies, ProblemType.RestrictionsUnsupported, ProblemType.BadRoom],
        """{"room":"demo"}""", isRequired: false, UserBody.RoomField);

    private static void Describe(
        this RouteHandlerBuilder route, string name, string summary, ProblemType[] problems, string? example, bool isRequired, params string[] members) =>
        route.Describe(
            name,
            "admin",
            summary,
            (StatusCodes.Status200OK, typeof(CommandAnswer), "Done; how many nodes heard it."),
            problems.Union(OfCommands),
            operation =>
            {
                operation.Parameters = name == "removeUser" ? [ApiDescription.RoomInPath(), UserInPath()] : [UserInPath()];
                if (example is not null)
                    operation.RequestBody = new OpenApiRequestBody { Required = isRequired, Content = Body(members, example) };
            });

    private static OpenApiParameter UserInPath() => ApiDescription.NameInPath("user", ApiDescription.RoomRule);

    private static Dictionary<string, OpenApiMediaType> Body(string[] members, string example) => new()
    {
        ["application/json"] = new()
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = members.ToDictionary(member => member, SchemaOf),
                Required = members.Where(member => member == UserBody.SecondsField).ToHashSet(),
                AdditionalPropertiesAllowed = false,
            },
            Example = JsonNode.Parse(example),
        },
    };

    private static IOpenApiSchema SchemaOf(string member) => member switch
    {
        UserBody.SecondsField => new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1", Description = "How long it lasts." },
        UserBody.ReasonField => new OpenApiSchema { Type = JsonSchemaType.String, Description = "Why, for the user: 1 to 100 bytes without control characters." },
        _ => new OpenApiSchema { Type = JsonSchemaType.String, Description = "A room: " + ApiDescription.RoomRule },
    };
}
