using Microsoft.Extensions.Configuration;
using PushHosting.Settings;
using PushNode.Settings;

namespace PushNode.Tests.Settings;

public sealed class HookSettingsTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("https://hooks.example.com/push?key=1")]
    [InlineData("https://203.0.113.7/")]
    [InlineData("http://127.0.0.1:8787")]
    [InlineData("http://[fd00::1]/")]
    [InlineData("http://10.1.2.3/push")]
    [InlineData("http://receiver:8787/push")]
    public void An_https_URL_or_one_inside_is_accepted(string url) => Assert.True(Read(url).Enabled);

    [Theory]
    [InlineData("http://203.0.113.7/", "is http to a public address")]
    [InlineData("http://[2001:db8::1]/", "is http to a public address")]
    [InlineData("https://user:hunter2@hooks.example.com/", "has a user or a fragment")]
    [InlineData("https://hooks.example.com/#x", "has a user or a fragment")]
    [InlineData("ftp://hooks.example.com/", "is not an http or https URL")]
    [InlineData("/push", "is not an http or https URL")]
    [InlineData("hooks.example.com", "is not an http or https URL")]
    public void Any_other_URL_is_refused_without_showing_it(string url, string why) => Assert.Equal(
        $"Hooks:Url {why}; it accepts an https URL, or an http URL of a private network, for example https://hooks.example.com/push.",
        Assert.Throws<SettingsException>(() => Read(url)).Message);

    [Theory]
    [InlineData("Secret", "short", "Hooks:Secret has 5 characters; it accepts at least 32, for example the output of 'openssl rand -hex 32'.")]
    [InlineData("Events", "room.ocupied", "Hooks:Events is 'room.ocupied'; it accepts room.occupied, room.vacated, user.online, user.offline and message.sent separated by commas, each once.")]
    [InlineData("Events", "user.online,user.online", "Hooks:Events is 'user.online,user.online'; it accepts room.occupied, room.vacated, user.online, user.offline and message.sent separated by commas, each once.")]
    [InlineData("GiveUpAfter", "00:00:00", "Hooks:GiveUpAfter is '00:00:00'; it accepts a duration from 00:00:01 to 01:00:00, written hh:mm:ss, for example 00:05:00.")]
    public void Any_other_value_is_refused(string key, string value, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<SettingsException>(() => Read("https://hooks.example.com/", (key, value))).Message);

    [Fact]
    public void A_secret_without_a_URL_is_a_mistake_and_nothing_is_off()
    {
        Assert.Equal("Hooks:Url is missing, although Hooks:Secret is set; it accepts an https URL.", Assert.Throws<SettingsException>(() => Read("")).Message);
        Assert.False(new HookSettings().Enabled);
        Assert.False(new HookSettings().Tells(HookEventName.RoomOccupied));
    }

    [Fact]
    public void Messages_are_told_only_if_they_are_asked_for()
    {
        Assert.False(Read("https://hooks.example.com/").Tells(HookEventName.MessageSent));
        var some = Read("https://hooks.example.com/", ("Events", "Message.Sent, user.online"));
        Assert.Equal([false, false, true, false, true], HookEventName.All.Select(some.Tells));
    }

    private static HookSettings Read(string url, params (string Key, string Value)[] more)
    {
        var pairs = new Dictionary<string, string?> { ["Hooks:Url"] = url, ["Hooks:Secret"] = Secret };
        foreach (var (key, value) in more)
            pairs[$"Hooks:{key}"] = value;
        return StrictSettings.Read<HookSettings>(new ConfigurationBuilder().AddInMemoryCollection(pairs).Build(), HookSettings.Section);
    }
}
