namespace PushBackplane.Tests;

public sealed class BackplaneSettingsTests
{
    [Theory]
    [InlineData("push:")]
    [InlineData("p")]
    [InlineData("eu/live-1:")]
    public void An_ordinary_prefix_is_accepted(string prefix) => Assert.Null(new BackplaneSettings { ChannelPrefix = prefix }.Problem("Backplane"));

    [Theory]
    [InlineData("")]
    [InlineData("push :")]
    [InlineData("push\n")]
    [InlineData("推:")]
    [InlineData(null)]
    public void Any_other_prefix_is_refused_by_its_key(string? prefix)
    {
        var problem = new BackplaneSettings { ChannelPrefix = prefix! }.Problem("Backplane");
        Assert.StartsWith("Backplane:ChannelPrefix must be 1 to 64 ASCII characters", problem, StringComparison.Ordinal);
        Assert.NotNull(new BackplaneSettings { ChannelPrefix = new string('p', 65) }.Problem("Backplane"));
    }
}
