using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushBackplane;
using PushNode.Framing;

namespace PushNode.Protocol;

/// <summary>Encodes the answers to a client's requests; each echoes the request's id. JOINED is the room's own (<see cref="RoomFrames.Joined"/>).</summary>
internal static class Answers
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static Frame Pong(string? id) => Answer("PONG", id, "{}");

    public static Frame Left(RoomId room, string? id) => Answer("LEFT", id, $$"""{"room":"{{Escape(room.ToString())}}"}""");

    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="message">What was wrong and what is accepted.</param>
    /// <param name="id">The request's id.</param>
    public static Frame Error(string code, string message, string? id) =>
        Answer("ERROR", id, $$"""{"code":"{{code}}","message":"{{Escape(message)}}"}""");

    private static Frame Answer(string type, string? id, string data)
    {
        var echo = id is null ? "" : $"\"id\":{id},";
        return ServerFrame.Create(Opcode.Text, Encoding.UTF8.GetBytes($$"""{"type":"{{type}}",{{echo}}"data":{{data}}}"""));
    }

    private static string Escape(string text) => JsonEncodedText.Encode(text, Encoder).ToString();
}
