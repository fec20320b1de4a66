using System.Text.Json;

namespace Observability.Tests.Support;

/// <summary>One panel of a dashboard, as its file has it.</summary>
internal sealed record DashboardPanel(string Dashboard, JsonElement Json)
{
    public string Title => Json.GetProperty("title").GetString()!;

    public string Type => Json.GetProperty("type").GetString()!;

    public bool IsRow => Type == "row";

    public int Id => Json.GetProperty("id").GetInt32();

    public JsonElement Defaults => Json.GetProperty("fieldConfig").GetProperty("defaults");

    public (int X, int Y, int Width, int Height) Position
    {
        get
        {
            var position = Json.GetProperty("gridPos");
            return (position.GetProperty("x").GetInt32(), position.GetProperty("y").GetInt32(), position.GetProperty("w").GetInt32(), position.GetProperty("h").GetInt32());
        }
    }

    /// <summary>The expressions, and whether each is asked for now alone.</summary>
    public IEnumerable<(string Expression, bool Instant)> Queries => IsRow
        ? []
        : Json.GetProperty("targets").EnumerateArray().Select(target => (target.GetProperty("expr").GetString()!, target.TryGetProperty("instant", out var instant) && instant.GetBoolean()));

    public override string ToString() => $"{Dashboard}: {Title}";
}
