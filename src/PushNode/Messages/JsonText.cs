using System.Text.Encodings.Web;
using System.Text.Json;

namespace PushNode.Messages;

/// <summary>Parts of the JSON that the node writes itself.</summary>
internal static class JsonText
{
    /// <summary>The inside of a JSON string, without its quotes.</summary>
    public static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
}
