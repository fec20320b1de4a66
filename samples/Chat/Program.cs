// The backend of docs/tutorial.md's chat room. Viewers get messages from a node, and say something here: only this program reaches the
// publish API.
using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using RedisPush.Publisher;

var builder = WebApplication.CreateBuilder(args);
var api = builder.Configuration["Chat:Api"] ?? "http://localhost:7799";
var clients = builder.Configuration["Chat:Clients"] ?? "ws://localhost:7777/ws";
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 4096);
builder.Services.AddRedisPushPublisher(publisher => publisher.Url = new Uri(api));
// For all viewers together. A site with accounts limits each.
builder.Services.AddRateLimiter(limiter =>
{
    limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
    limiter.AddPolicy("say", _ => RateLimitPartition.GetTokenBucketLimiter("all", _ => new()
    {
        TokenLimit = 100,
        TokensPerPeriod = 20,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
    }));
});

var app = builder.Build();
app.UseRateLimiter();
app.UseFileServer();
app.MapGet("/farm", () => new { clients });
app.MapPost("/say", async (Line line, IRedisPushPublisher push) =>
{
    // A site with accounts takes the name from the session.
    if (line.Name is not { Length: > 0 and <= 20 } || line.Text is not { Length: > 0 and <= 300 })
        return Results.Problem("A name has 1 to 20 characters, a text 1 to 300.", statusCode: StatusCodes.Status400BadRequest);
    try
    {
        var published = await push.PublishAsync("chat", line, ChatJson.Default.Line);
        return Results.Ok(new { published.Nodes });
    }
    catch (PublishException e)
    {
        app.Logger.LogWarning(e, "A message was not published.");
        return Results.Problem("The message may not have been published; try again.", statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}).RequireRateLimiting("say");
app.Run();

internal sealed record Line(string Name, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Line))]
internal sealed partial class ChatJson : JsonSerializerContext;
