using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PushApi.Settings;
using PushHosting.Settings;

namespace PushApi.Access;

/// <summary>
/// The command <c>key</c>: makes a key and prints it with the settings that let the API know it. Nothing is stored: the key exists only where
/// its reader puts it.
/// </summary>
public static class KeyCommand
{
    /// <summary>The first argument of a program that runs the command instead of starting.</summary>
    public const string Name = "key";

    private const string Usage = """
        Makes a key for a publisher and prints it once, with the settings that let the API know it (docs/http-api.md).

        key [--name NAME] [--scopes LIST] [--rooms LIST] [--rate N] [--burst N] [--number N]

          --name     what metrics and logs call the key; made up unless given
          --scopes   publish, read and admin, separated by commas; publish unless given
          --rooms    rooms, and beginnings of rooms with a *, separated by commas; all unless given
          --rate     messages a second, counted once per room; any number unless given
          --burst    messages at once after a pause; as many as in a second unless given
          --number   which of the keys under PushApi:Keys it is, from 0; 0 unless given

        """;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Runs the command.</summary>
    /// <param name="arguments">The arguments after <see cref="Name"/>.</param>
    /// <returns>The exit code: 0, or 1 if an argument is wrong.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments is ["--help" or "-h" or "-?"])
        {
            Console.Out.Write(Usage);
            return 0;
        }

        var key = ApiKeyText.Make();
        var hash = Convert.ToHexStringLower(ApiKeyText.Hash(key));
        var settings = new ApiKeySettings { Name = $"key-{hash[..8]}", Sha256 = hash };
        var number = 0;
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length || !TrySet(settings, ref number, arguments[i], arguments[i + 1]))
                return Refuse($"'{SettingText.Clean(arguments[i])}' is no argument of the command, or its value is missing or not accepted. "
                    + "It accepts --name, --scopes, --rooms, --rate, --burst and --number, each with a value; --help explains them.");
        }

        var section = $"{PushApiSettings.Section}:{nameof(PushApiSettings.Keys)}:{number}";
        if (settings.Problem(section) is { } problem)
            return Refuse(problem);
        Console.Out.Write(Text(key, settings, section));
        return 0;
    }

    private static bool TrySet(ApiKeySettings settings, ref int number, string option, string value)
    {
        switch (option)
        {
            case "--name":
                settings.Name = value;
                return true;
            case "--scopes":
                settings.Scopes = value;
                return true;
            case "--rooms":
                settings.Rooms = value;
                return true;
            case "--rate":
                return TryParse(value, 10_000_000, out var rate) && (settings.Rate = rate) == rate;
            case "--burst":
                return TryParse(value, 100_000_000, out var burst) && (settings.Burst = burst) == burst;
            case "--number":
                return TryParse(value, 999, out number);
            default:
                return false;
        }
    }

    private static bool TryParse(string text, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= most;

    private static string Text(string key, ApiKeySettings settings, string section)
    {
        var values = ValuesOf(settings);
        var json = new JsonObject(values.Select(value => KeyValuePair.Create(value.Key, (JsonNode?)value.Value)));
        var environment = values.Select(value => $"{section.Replace(":", "__", StringComparison.Ordinal)}__{value.Key}={value.Value}");
        return $"""
            The key '{settings.Name}', which is not shown again. Give it to the publisher, who sends it as 'Authorization: Bearer KEY':

            {key}

            The settings of every API ({section}), without the key itself. In appsettings.json, an item of PushApi:Keys:

            {json.ToJsonString(Indented)}

            Or in the environment:

            {string.Join('\n', environment)}

            """;
    }

    private static Dictionary<string, string> ValuesOf(ApiKeySettings settings)
    {
        var values = new Dictionary<string, string>
        {
            [nameof(settings.Name)] = settings.Name,
            [nameof(settings.Sha256)] = settings.Sha256,
            [nameof(settings.Scopes)] = settings.Scopes,
            [nameof(settings.Rooms)] = settings.Rooms,
        };
        if (settings.Rate > 0)
            values.Add(nameof(settings.Rate), settings.Rate.ToString(CultureInfo.InvariantCulture));
        if (settings.Burst > 0)
            values.Add(nameof(settings.Burst), settings.Burst.ToString(CultureInfo.InvariantCulture));
        return values;
    }

    private static int Refuse(string sentence)
    {
        Console.Error.WriteLine(sentence);
        return 1;
    }
}
