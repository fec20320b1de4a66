using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Settings;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Settings;

/// <summary>The rows of settings on the node's page. Real programs show the sources in PushFarm.FunctionalTests.</summary>
public sealed class ShownSettingsTests
{
    [Fact]
    public void Every_key_of_a_section_has_a_row()
    {
        var rows = Read();
        Assert.Equal(
            [
                "Push:Node", "Push:RedisPassword", "Push:Shards", "Push:Unbounded", "Push:Jitter", "Push:Maybe", "Push:RedisSecretNumber", "Push:Compress", "Push:Policy",
                "Push:Origins:0", "Push:Merge:Window", "Push:Merge:Gather", "Push:Rooms",
            ],
            rows.Keys);
        Assert.Equal(new("Push:Merge:Gather", "00:00:00.05", "00:00:00.05", "default"), rows["Push:Merge:Gather"]);
        Assert.Equal(new("Push:Compress", "false", "false", "default"), rows["Push:Compress"]);
        Assert.Equal(new("Push:Policy", "DropOldest", "DropOldest", "default"), rows["Push:Policy"]);
        Assert.Equal(new("Push:Maybe", "", "", "default"), rows["Push:Maybe"]);
    }

    [Fact]
    public void The_last_source_that_has_a_key_is_named()
    {
        var rows = Read(builder => builder
            .AddCommandLine(["--push:shards=7", "--Push:Merge:Window=00:00:02"])
            .AddInMemoryCollection([new("Push:Jitter", "0.25")])
            .AddCommandLine(["--Push:Shards=8"]));
        Assert.Equal(new("Push:Shards", "8", "16", "command line"), rows["Push:Shards"]);
        Assert.Equal(new("Push:Merge:Window", "00:00:02", "00:00:01", "command line"), rows["Push:Merge:Window"]);
        // What a program adds in memory is its own default.
        Assert.Equal(new("Push:Jitter", "0.25", "0.25", "default"), rows["Push:Jitter"]);
    }

    [Fact]
    public void An_empty_value_is_no_source_except_of_a_text()
    {
        var rows = Read(builder => builder.AddCommandLine(["--Push:Shards=", "--Push:Node="]));
        Assert.Equal(new("Push:Shards", "16", "16", "default"), rows["Push:Shards"]);
        Assert.Equal(new("Push:Node", "", "", "command line"), rows["Push:Node"]);
    }

    [Fact]
    public void Each_item_of_a_list_has_its_own_source()
    {
        var rows = Read(builder => builder.AddCommandLine(["--Push:Origins:0=http://a.example", "--Push:Origins:1=http://b.example"]));
        Assert.Equal(new("Push:Origins:1", "http://b.example", "", "command line"), rows["Push:Origins:1"]);
    }

    [Fact]
    public void Each_key_of_a_list_of_sections_has_a_row()
    {
        var rows = Read(builder => builder.AddCommandLine(["--Push:Rooms:0:Pattern=a", "--Push:Rooms:1:Pattern=b", "--Push:Rooms:1:Size=7"]));
        Assert.Equal(new("Push:Rooms:0:Size", "10", "10", "default"), rows["Push:Rooms:0:Size"]);
        Assert.Equal(new("Push:Rooms:1:Size", "7", "10", "command line"), rows["Push:Rooms:1:Size"]);
        Assert.False(rows.ContainsKey("Push:Rooms"));
    }

    [Theory]
    [InlineData("Push:RedisPassword", "hunter2")]
    [InlineData("Push:RedisSecretNumber", "7")]
    [InlineData("Push:Node", "redis:6379,password=hunter2")]
    [InlineData("Push:Node", "http://me:hunter2@host")]
    public void What_looks_like_a_secret_is_not_shown(string key, string value)
    {
        var row = Read(builder => builder.AddCommandLine([$"--{key}={value}"]))[key];
        Assert.Equal(("a value that is not shown here", "command line"), (row.Value, row.Source));
    }

    [Fact]
    public void The_framework_s_keys_are_shown_if_they_are_set()
    {
        var configuration = new ConfigurationBuilder().AddCommandLine(
        [
            "--Logging:LogLevel:Default=Warning", "--Kestrel:Certificates:Default:Password=hunter2", "--OTEL_EXPORTER_OTLP_HEADERS=x-key=hunter2",
            "--OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", "--Unknown:Password=hunter2",
        ]).Build();
        Assert.Equal(
            [
                "Kestrel:Certificates:Default:Password a value that is not shown here", "Logging:LogLevel:Default Warning",
                "OTEL_EXPORTER_OTLP_ENDPOINT http://collector:4317", "OTEL_EXPORTER_OTLP_HEADERS a value that is not shown here",
            ],
            ShownSettings.OfFramework(configuration).Rows.Select(row => $"{row.Key} {row.Value}"));
    }

    private static Dictionary<string, ShownSetting> Read(Action<IConfigurationBuilder>? configure = null)
    {
        var builder = new ConfigurationBuilder();
        configure?.Invoke(builder);
        var services = new ServiceCollection();
        services.ReadSettings<SampleSettings>(builder.Build(), "Push");
        return services.Select(service => service.ImplementationInstance).OfType<ShownSettings>().Single().Rows.ToDictionary(row => row.Key);
    }
}
