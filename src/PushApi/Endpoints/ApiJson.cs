using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PushApi.Counts;
using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>The JSON that the API writes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(CommandAnswer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(RoomAnswer))]
[JsonSerializable(typeof(RoomsAnswer))]
[JsonSerializable(typeof(UserAnswer))]
[JsonSerializable(typeof(NodesAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(GoPushStats))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>The same, with quotes and room names of any language readable in a terminal. Safe because no answer is HTML.</summary>
    public static ApiJson Readable { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
