using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PushApi.History;
using PushApi.Problems;
using PushBackplane.History;

namespace PushApi.Endpoints;

/// <summary>Describes the routes of a room's messages for the OpenAPI document. The answer is written as bytes, so no type describes it.</summary>
internal static class HistoryDescription
{
    private static readonly ProblemType[] OfBoth =
        [ProblemType.BadRoom, ProblemType.ForbiddenRoom, ProblemType.NoHistory, ProblemType.HistoryAway];

    public static void DescribeRead(this RouteHandlerBuilder route) => route.Describe(
        "readMessages", "read", "Reads messages that a room keeps, in pages.",
        (StatusCodes.Status200OK, typeof(JsonObject), "A page. epoch and offset are 'since' of the next one, if there is more."),
        [ProblemType.BadQuery, ProblemType.TooManyReads, .. OfBoth],
        operation =>
        {
            operation.Parameters =
            [
                ApiDescription.RoomInPath(),
                Query(PageQuery.SinceName, "A position, EPOCH.OFFSET: the messages after it, or with reverse those before it.", new() { Type = JsonSchemaType.String }),
                Query(PageQuery.LimitName, $"How many messages; {PageQuery.StandardLimit} without it. A page may have fewer although there is more.", new()
                {
                    Type = JsonSchemaType.Integer,
                    Minimum = "1",
                    Maximum = $"{HistoryQuery.MaxLimit}",
                }),
                Query(PageQuery.ReverseName, "Newest first.", new() { Type = JsonSchemaType.Boolean }),
            ];
            operation.Responses!["200"].Content!["application/json"].Schema = Page();
        });

    public static void DescribeDelete(this RouteHandlerBuilder route) => route.Describe(
        "deleteMessages", "admin", "Deletes the messages that a room keeps. Its numbering goes on.",
        (StatusCodes.Status204NoContent, null, "Done."), OfBoth, operation => operation.Parameters = [ApiDescription.RoomInPath()]);

    private static OpenApiSchema Page() => Object(
        required: ["room", "epoch", "offset", "last", "floor", "messages", "more"],
        ("room", Of(JsonSchemaType.String, "The room.")),
        ("epoch", Of(JsonSchemaType.String, "The present epoch of its numbering.")),
        ("offset", Of(JsonSchemaType.Integer, "Where the page ends: the next one begins there.")),
        ("last", Of(JsonSchemaType.Integer, "The offset of the room's last message.")),
        ("floor", Of(JsonSchemaType.Integer, "The offset before the oldest message kept.")),
        ("recovered", Of(JsonSchemaType.Boolean, "With since, not reverse: whether nothing is missing between it and the first message.")),
        ("messages", new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            Items = Object(
                required: ["offset", "published_at", "item"],
                ("offset", Of(JsonSchemaType.Integer, "Its number.")),
                ("published_at", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time", Description = "The publisher's clock." }),
                ("item", new OpenApiSchema { Description = "The message, byte for byte; null if nobody could get it." })),
        }),
        ("more", Of(JsonSchemaType.Boolean, "Whether there is a next page.")));

    private static OpenApiSchema Of(JsonSchemaType type, string description) => new() { Type = type, Description = description };

    private static OpenApiSchema Object(string[] required, params (string Name, IOpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = members.ToDictionary(member => member.Name, member => member.Schema),
        Required = required.ToHashSet(),
    };

    private static OpenApiParameter Query(string name, string description, OpenApiSchema schema) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = schema };
}
