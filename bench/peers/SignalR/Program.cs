using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;

namespace RedisPush.Bench.SignalR;

/// <summary>A SignalR server with one hub, and a POST that sends its JSON body to the hub's one group.</summary>
internal static class Program
{
    private static void Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddSignalR(hub =>
        {
            // Otherwise 10,000 clients would have to send pings to stay connected.
            hub.ClientTimeoutInterval = TimeSpan.FromMinutes(30);
        });

        var app = builder.Build();
        app.MapHub<RoomHub>("/hub", endpoint => endpoint.Transports = HttpTransportType.WebSockets);
        app.MapPost("/publish", static async (JsonElement message, IHubContext<RoomHub> hub) =>
        {
            await hub.Clients.Group(RoomHub.Room).SendAsync("message", message);
            return Results.Accepted();
        });
        app.Run();
    }
}

/// <summary>Each connection joins the one room, as a SignalR group.</summary>
internal sealed class RoomHub : Hub
{
    public const string Room = "bench";

    public override Task OnConnectedAsync() => Groups.AddToGroupAsync(Context.ConnectionId, Room);
}
