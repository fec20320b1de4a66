using Microsoft.AspNetCore.SignalR;

namespace RedisPush.Bench.SignalR;

/// <summary>Every connection joins the one room, as SignalR's groups are meant to be joined.</summary>
internal sealed class RoomHub : Hub
{
    public const string Room = "bench";

    public override Task OnConnectedAsync() => Groups.AddToGroupAsync(Context.ConnectionId, Room);
}
