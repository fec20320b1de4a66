using PushNode.Control;

namespace PushNode.LiveRoom;

/// <summary>
/// <c>POST /live/drain</c>: closes all of the node's clients as a drain does, and accepts them again. Stateless; any thread.
/// </summary>
internal sealed class LiveRoomDrain(Drain drain)
{
    public Task AnswerAsync(HttpContext context)
    {
        if (drain.BeginBriefly() is not { } clients)
        {
            context.Response.StatusCode = StatusCodes.Status409Conflict;
            return context.Response.WriteAsync("The node is already draining.\n");
        }

        context.Response.StatusCode = StatusCodes.Status202Accepted;
        return context.Response.WriteAsJsonAsync(new { clients });
    }
}
