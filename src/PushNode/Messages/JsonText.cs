using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushNode.WebSocket;

namespace PushNode.Messages;

/// <summary>The JSON that the node writes itself, in WebSocket text frames.</summary>
internal static class JsonText
{
    /// <summary>A frame of one JSON text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="loss">The number of lost messages that it reports; null if unknown.</param>
    public static Frame Frame(string json, long? loss = 0) => new(FrameWriter.Write(Opcode.Text, Encoding.UTF8.GetBytes(json)), loss: loss);

    /// <summary>The inside of a JSON string, without its quotes.</summary>
    public static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
}
