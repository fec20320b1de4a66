using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using PushApi.Access;
using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>The OpenAPI document, and what the descriptions of all routes have in common.</summary>
internal static class ApiDescription
{
    /// <summary>The document's name, as in <c>/openapi/v1.json</c>.</summary>
    public const string Document = "v1";

    private const string Bearer = "bearer";
    private const string InHeader = "apiKey";

    /// <summary>What a room's name is.</summary>
    public const string RoomRule = "1 to 128 bytes of UTF-8; no control characters, no '/', not '.' or '..'.";

    /// <summary>The problems that <see cref="RequestGuard"/> finds.</summary>
    private static readonly ProblemType[] OfEveryRoute =
    [
        ProblemType.BadTarget, ProblemType.Unauthorized, ProblemType.ForbiddenScope, ProblemType.Outside, ProblemType.CrossSite,
        ProblemType.BadHost, ProblemType.RateLimited,
    ];

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
            (document.Components ??= new OpenApiComponents()).SecuritySchemes = SecuritySchemes();
            return Task.CompletedTask;
        });
    }

    /// <summary>Describes a route. Its answers are <paramref name="answer"/> and one for each status of the problems.</summary>
    /// <param name="route">The route.</param>
    /// <param name="name">The operation's name.</param>
    /// <param name="tag">The group of operations: publish, read or admin.</param>
    /// <param name="summary">One sentence.</param>
    /// <param name="answer">Status, type and meaning of success; the type is null for an answer without a body.</param>
    /// <param name="problems">What it can be refused for, apart from what every route checks.</param>
    /// <param name="more">Completes the operation: its parameters and body.</param>
    public static void Describe(
        this RouteHandlerBuilder route,
        string name,
        string tag,
        string summary,
        (int Status, Type? Body, string Meaning) answer,
        IEnumerable<ProblemType> problems,
        Action<OpenApiOperation>? more = null)
    {
        var answers = problems.Union(OfEveryRoute)
            .GroupBy(kind => kind.Status)
            .ToDictionary(group => group.Key, group => string.Join("; ", group.Select(kind => $"{kind.Uri}: {kind.Title}")));
        foreach (var status in answers.Keys)
            route.Produces<Problem>(status, Problem.MediaType);

        answers.Add(answer.Status, answer.Meaning);
        route.Produces(answer.Status, answer.Body);

        route.WithGroupName(Document).WithName(name).WithTags(tag).WithSummary(summary);
        route.AddOpenApiOperationTransformer((operation, context, _) =>
        {
            if (RouteScopes.ScopeOf(context.Description.ActionDescriptor.EndpointMetadata) is { } scope)
            {
                operation.Description = $"A key needs the scope {RouteScopes.NameOf(scope)}.";
                operation.Security = Security(context.Document);
            }
            foreach (var (status, response) in operation.Responses ?? [])
                response.Description = answers[int.Parse(status, CultureInfo.InvariantCulture)];
            more?.Invoke(operation);
            return Task.CompletedTask;
        });
    }

    /// <summary>A room's name in the path.</summary>
    public static OpenApiParameter RoomInPath() => NameInPath("room", RoomRule);

    /// <summary>A name in the path that <see cref="RawTarget"/> reads.</summary>
    public static OpenApiParameter NameInPath(string name, string rule) => new()
    {
        Name = name,
        In = ParameterLocation.Path,
        Required = true,
        Description = "Percent-encoded. " + rule,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1 },
    };

    private static Dictionary<string, IOpenApiSecurityScheme> SecuritySchemes() => new()
    {
        [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key of PushApi:Keys." },
        [InHeader] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = PresentedKey.Header,
            Description = "The same keys.",
        },
    };

    /// <summary>One of the two, or none: an API without keys answers to addresses instead.</summary>
    private static List<OpenApiSecurityRequirement> Security(OpenApiDocument? document) =>
    [
        new() { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] },
        new() { [new OpenApiSecuritySchemeReference(InHeader, document)] = [] },
        [],
    ];

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
}
