using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushLoad.Reports;

/// <summary>The file that <c>--json</c> writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LoadResult))]
internal sealed partial class ResultJson : JsonSerializerContext
{
    public static string Text(LoadResult result) => JsonSerializer.Serialize(result, Default.LoadResult);
}
