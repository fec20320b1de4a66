using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>One kind of body: its media type and how it is read.</summary>
/// <param name="MediaType">The media type, in lower case, without parameters.</param>
/// <param name="Read">Fills the request from the body and returns what is wrong, or null; it owns the body's bytes.</param>
internal sealed record BodyFormat(string MediaType, Func<Memory<byte>, PublishRequest, Problem?> Read)
{
    /// <summary>One message: one JSON value.</summary>
    public static readonly BodyFormat Json = new("application/json", JsonBody.Read);

    /// <summary>One message per line.</summary>
    public static readonly BodyFormat Ndjson = new("application/x-ndjson", NdjsonBody.Read);

    /// <summary>One message: the text as a JSON string.</summary>
    public static readonly BodyFormat Text = new("text/plain", TextBody.Read);

    /// <summary><c>{"rooms":[...],"items":[...]}</c>.</summary>
    public static readonly BodyFormat RoomsAndItems = new("application/json", RoomsAndItemsBody.Read);

    /// <summary>go-push's <c>room=...&amp;items=[...]</c>.</summary>
    public static readonly BodyFormat RoomForm = new("application/x-www-form-urlencoded", FormBody.ReadRoom);

    /// <summary>go-push's <c>items=[...]</c>.</summary>
    public static readonly BodyFormat BroadcastForm = new("application/x-www-form-urlencoded", FormBody.ReadBroadcast);
}
