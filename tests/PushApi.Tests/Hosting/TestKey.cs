using PushApi.Access;

namespace PushApi.Tests.Hosting;

/// <summary>A key and the settings that let an API know it.</summary>
internal sealed record TestKey(string Name, string Scopes = "publish", string Rooms = "*", int Rate = 0, int Burst = 0)
{
    /// <summary>The text that a publisher sends.</summary>
    public string Text { get; } = ApiKeyText.Make();

    public (string Name, string Value) Bearer => ("Authorization", "Bearer " + Text);

    public static (string Key, object Value)[] Settings(params TestKey[] keys) => [.. keys.SelectMany((key, i) => key.Settings(i))];

    private IEnumerable<(string Key, object Value)> Settings(int i) =>
    [
        ($"Keys:{i}:Name", Name), ($"Keys:{i}:Sha256", Convert.ToHexStringLower(ApiKeyText.Hash(Text))), ($"Keys:{i}:Scopes", Scopes),
        ($"Keys:{i}:Rooms", Rooms), ($"Keys:{i}:Rate", Rate), ($"Keys:{i}:Burst", Burst),
    ];
}
