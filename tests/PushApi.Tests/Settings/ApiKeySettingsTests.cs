using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Settings;
using PushHosting.Settings;

namespace PushApi.Tests.Settings;

/// <summary>A wrong key stops the program with a sentence that names it.</summary>
public sealed class ApiKeySettingsTests
{
    private static readonly string Hash = new('a', 64);

    [Theory]
    [InlineData("Name=;Sha256=HASH", "PushApi:Keys:0:Name is not a name; it accepts 1 to 64 letters, digits, '.', '_' and '-' of ASCII, for example billing.")]
    [InlineData("Name=a b;Sha256=HASH", "PushApi:Keys:0:Name is not a name; it accepts 1 to 64 letters, digits, '.', '_' and '-' of ASCII, for example billing.")]
    [InlineData("Name=a", "PushApi:Keys:0:Sha256 is not a hash; it accepts the 64 hex digits that the command 'key' prints.")]
    [InlineData("Name=a;Sha256=rpk_the-key-itself", "PushApi:Keys:0:Sha256 is not a hash; it accepts the 64 hex digits that the command 'key' prints.")]
    [InlineData("Name=a;Sha256=HASH;Scopes=", "PushApi:Keys:0:Scopes is ''; it accepts publish, read and admin separated by commas, each once.")]
    [InlineData("Name=a;Sha256=HASH;Scopes=publish,write", "PushApi:Keys:0:Scopes is 'publish,write'; it accepts publish, read and admin separated by commas, each once.")]
    [InlineData("Name=a;Sha256=HASH;Scopes=publish,Publish", "PushApi:Keys:0:Scopes is 'publish,Publish'; it accepts publish, read and admin separated by commas, each once.")]
    [InlineData("Name=a;Sha256=HASH;Scopes=0", "PushApi:Keys:0:Scopes is '0'; it accepts publish, read and admin separated by commas, each once.")]
    [InlineData("Name=a;Sha256=HASH;Rooms=", "PushApi:Keys:0:Rooms is empty; it accepts rooms and beginnings of rooms separated by commas, for example news,shop-*.")]
    [InlineData("Name=a;Sha256=HASH;Rooms=a*b", "PushApi:Keys:0:Rooms: the pattern 'a*b' has a '*' before its end; a pattern is a room's name, or the beginning of one and '*'.")]
    [InlineData("Name=a;Sha256=HASH;Rate=-1", "PushApi:Keys:0:Rate is '-1'; it accepts a whole number from 0 to 10000000, for example 0.")]
    [InlineData("Name=a;Sha256=HASH;Burst=5", "PushApi:Keys:0:Burst needs PushApi:Keys:0:Rate, which is 0; it accepts 0, or more if there is a rate.")]
    [InlineData("Name=a;Key=rpk_x", "PushApi:Keys:0:Key is not a key; PushApi:Keys:0 accepts Name, Sha256, Scopes, Rooms, Rate and Burst.")]
    public void A_wrong_key_is_one_sentence(string settings, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<SettingsException>(() => Register(Item(0, settings.Split(';')))).Message);

    [Theory]
    [InlineData("A", "b", "PushApi:Keys:1:Name is the name of an earlier key; it accepts a name of its own.")]
    [InlineData("b", "a", "PushApi:Keys:1:Sha256 is the hash of an earlier key; it accepts the hash of another.")]
    public void Names_and_hashes_are_unique(string name, string digit, string sentence)
    {
        var first = Item(0, ["Name=a", "Sha256=HASH"]);
        var second = Item(1, [$"Name={name}", $"Sha256={new string(digit[0], 64).ToUpperInvariant()}"]);
        Assert.Equal(sentence, Assert.Throws<SettingsException>(() => Register([.. first, .. second])).Message);
    }

    [Fact]
    public void A_thousand_keys_are_accepted_and_one_more_is_not()
    {
        var items = Enumerable.Range(0, 1001).Select(i => Item(i, [$"Name=k{i}", $"Sha256={i:x64}"])).ToArray();
        Register([.. items.Take(1000).SelectMany(item => item)]);
        var refused = Assert.Throws<SettingsException>(() => Register([.. items.SelectMany(item => item)]));
        Assert.Equal("PushApi:Keys has 1001 items; it accepts at most 1000.", refused.Message);
    }

    [Fact]
    public void A_key_publishes_to_all_rooms_at_any_rate_unless_settings_say_less()
    {
        var key = new ApiKeySettings();
        Assert.Equal(("publish", "*", 0, 0), (key.Scopes, key.Rooms, key.Rate, key.Burst));
    }

    private static KeyValuePair<string, string?>[] Item(int i, string[] settings) =>
    [
        .. settings.Select(setting => setting.Split('=', 2))
            .Select(pair => KeyValuePair.Create($"PushApi:Keys:{i}:{pair[0]}", (string?)pair[1].Replace("HASH", Hash, StringComparison.Ordinal))),
    ];

    private static void Register(KeyValuePair<string, string?>[] settings) =>
        new ServiceCollection().AddPushApi(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
}
