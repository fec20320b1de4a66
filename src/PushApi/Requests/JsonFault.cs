using System.Text.Json;

namespace PushApi.Requests;

/// <summary>Says where JSON is broken.</summary>
internal static class JsonFault
{
    /// <summary>The place as the end of a sentence; lines and bytes count from 1.</summary>
    public static string Where(JsonException fault) => fault.LineNumber is > 0 and var line
        ? $": see its line {line + 1}, byte {fault.BytePositionInLine + 1}"
        : $": see its byte {fault.BytePositionInLine + 1}";
}
