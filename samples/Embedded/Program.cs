// An auction house: its own pages and endpoints, and a push node in the same process. docs/embedding.md explains each line about the node.
using PushNode;

var builder = WebApplication.CreateBuilder(args);
builder.AddPushNode();
builder.Services.AddHealthChecks().AddPushNodeCheck();

var app = builder.Build();
app.UseFileServer();
app.MapHealthChecks("/health");
app.MapPushNode("/live");

// With several instances of the application this would be in its database.
var highest = 0m;
var auction = new Lock();
app.MapGet("/bid", () =>
{
    lock (auction)
        return new { highest };
});
app.MapPost("/bid", async (Bid bid, PushPublisher push) =>
{
    if (bid.Bidder is not { Length: > 0 and <= 40 })
        return Results.Problem("A bidder's name has 1 to 40 characters.", statusCode: StatusCodes.Status400BadRequest);
    lock (auction)
    {
        if (bid.Amount <= highest)
            return Results.Problem($"The highest bid is {highest}.", statusCode: StatusCodes.Status409Conflict);
        highest = bid.Amount;
    }

    // Null: Redis is unavailable. The bid stands, and pages read it when they join the room again.
    var nodes = await push.PublishAsync("auction", bid);
    return Results.Ok(new { highest = bid.Amount, nodes });
});
app.Run();

internal sealed record Bid(string Bidder, decimal Amount);
