using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using PushHosting.Startup;
using PushHosting.Tests.Support;
using TestSupport.Processes;

namespace PushHosting.Tests.Startup;

public sealed partial class PushProgramTests
{
    [Theory]
    [InlineData("--Push:Merge:Window=banana", "Push:Merge:Window is 'banana'; it accepts a duration from 00:00:00.1 to 00:01:00, written hh:mm:ss, for example 00:00:01.")]
    [InlineData("Push__Merge__Window=banana", "Push:Merge:Window is 'banana'; it accepts a duration from 00:00:00.1 to 00:01:00, written hh:mm:ss, for example 00:00:01.")]
    [InlineData("--urls=banana", "--urls (or ASPNETCORE_URLS) is 'banana'; it accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("ASPNETCORE_URLS=http://127.0.0.1:banana", "--urls (or ASPNETCORE_URLS) is 'http://127.0.0.1:banana'; it accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("ASPNETCORE_HTTP_PORTS=banana", "ASPNETCORE_HTTP_PORTS is 'banana'; it accepts port numbers from 0 to 65535 separated by semicolons, for example 8080.")]
    [InlineData("Kestrel__Endpoints__Http__Url=banana", "Kestrel:Endpoints:Http:Url is 'banana'; it accepts an address such as http://127.0.0.1:8080.")]
    [InlineData("--Sample:OwnUrl=banana", "Sample:OwnUrl is 'banana'; it accepts an address such as http://127.0.0.1:8080.")]
    [InlineData("--urls=http://192.0.2.1:8080", "http://192.0.2.1:8080 is not an address of this machine; --urls (or ASPNETCORE_URLS) accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("--urls=http://localhost:0", "http://localhost:0 cannot be opened (Dynamic port binding is not supported when binding to localhost. You must either bind to 127.0.0.1:0 or [::1]:0, or both); --urls (or ASPNETCORE_URLS) accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("--Management:Port=65536", "Management:Port is '65536'; it accepts a whole number from 0 to 65535, for example 0.")]
    [InlineData("--Management:Adress=::1", "Management:Adress is not a key; Management accepts Address, Port and AllowedHosts.")]
    [InlineData("--Management:Address=localhost", "Management:Address is 'localhost'; it accepts an IP address, for example 127.0.0.1, or 0.0.0.0 for all of this machine.")]
    [InlineData("Logging__LogLevel__Default=banana", "Logging:LogLevel:Default is 'banana'; it accepts one of Trace, Debug, Information, Warning, Error, Critical and None, for example Information.")]
    [InlineData("Logging__Console__LogLevel__Push=banana", "Logging:Console:LogLevel:Push is 'banana'; it accepts one of Trace, Debug, Information, Warning, Error, Critical and None, for example Information.")]
    [InlineData("Logging__Console__FormatterOptions__SingleLine=banana", "Failed to convert configuration value 'banana' at 'FormatterOptions:SingleLine' to type 'System.Boolean'.")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=banana", "OTEL_EXPORTER_OTLP_ENDPOINT is 'banana'; it accepts an http or https address, for example http://localhost:4317.")]
    public async Task A_wrong_setting_ends_the_process_with_one_sentence(string setting, string sentence)
    {
        using var sample = SampleProcess.Start(setting);
        await AssertEndsWithAsync(sample, sentence);
    }

    [Theory]
    [InlineData("--urls=http://127.0.0.1:{0}", "http://127.0.0.1:{0} is already in use by another process; --urls (or ASPNETCORE_URLS) accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("--urls=http://127.0.0.1:0;http://localhost:{0}", "http://localhost:{0} is already in use by another process; --urls (or ASPNETCORE_URLS) accepts addresses separated by semicolons, for example http://127.0.0.1:8080.")]
    [InlineData("--Sample:OwnUrl=http://127.0.0.1:{0}", "http://127.0.0.1:{0} is already in use by another process; Sample:OwnUrl accepts an address such as http://127.0.0.1:8080.")]
    [InlineData("--Management:Port={0}", "The management address 127.0.0.1:{0} is already in use by another process; Management:Port accepts a whole number from 0 to 65535, 0 for any free port, and Management:Address an IP address of this machine, for example 127.0.0.1.")]
    public async Task An_address_in_use_is_named_with_its_key(string setting, string sentence)
    {
        using Socket taken = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;

        using var sample = SampleProcess.Start(setting.Replace("{0}", $"{port}", StringComparison.Ordinal));
        await AssertEndsWithAsync(sample, sentence.Replace("{0}", $"{port}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_settings_file_that_is_not_JSON_is_named()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "appsettings.json"), "{ banana", TestContext.Current.CancellationToken);
            using var sample = SampleProcess.Start($"--contentRoot={folder.FullName}");
            (var exitCode, var output, var errors) = await sample.EndedAsync();

            Assert.Equal(1, exitCode);
            Assert.Contains("appsettings.json", errors, StringComparison.Ordinal);
            Assert.Contains("LineNumber", errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", output + errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_bug_keeps_its_stack_trace_and_a_non_zero_exit_code()
    {
        using var sample = SampleProcess.Start("--Sample:Bug=impossible", "DOTNET_DbgEnableMiniDump=0");
        (var exitCode, _, var errors) = await sample.EndedAsync();

        Assert.NotEqual(0, exitCode);
        Assert.Contains("impossible", errors, StringComparison.Ordinal);
        Assert.Contains("   at PushHosting.Tests.Support.SampleProgram", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_SIGTERM_the_exit_code_is_0_and_the_log_is_single_lines_in_UTC()
    {
        using var sample = SampleProcess.Start("--Logging:LogLevel:Default=Information");
        await sample.StartedAsync();
        await sample.TerminateAsync();
        (var exitCode, var output, var errors) = await sample.EndedAsync();

        Assert.Equal(0, exitCode);
        Assert.Equal("", errors);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(LogLine(), line));
    }

    [Fact]
    public async Task Standard_logging_settings_override_the_format()
    {
        using var sample = SampleProcess.Start("Logging__Console__FormatterName=json", "Logging__LogLevel__Default=Information");
        await sample.StartedAsync();
        await sample.TerminateAsync();
        (_, var output, _) = await sample.EndedAsync();
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("{", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--urls=http://127.0.0.1:{0}")]
    [InlineData("ASPNETCORE_URLS=http://127.0.0.1:{0}")]
    [InlineData("ASPNETCORE_HTTP_PORTS={0}")]
    [InlineData("Kestrel__Endpoints__Any__Url=http://127.0.0.1:{0}")]
    public async Task A_configured_address_replaces_the_default_but_not_the_management_port(string setting)
    {
        var port = FreePort.Next();
        using var sample = SampleProcess.Start(setting.Replace("{0}", $"{port}", StringComparison.Ordinal));
        (var application, var management) = await sample.StartedAsync();

        Assert.Equal(port, application.Port);
        using var health = await TestHost.SendAsync(HttpMethod.Get, new Uri(management, "/healthz"));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        using var ours = await TestHost.SendAsync(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}/metrics"));
        Assert.Equal(HttpStatusCode.NotFound, ours.StatusCode);
    }

    [Theory]
    [InlineData("--urls=http://127.0.0.1:8123;http://127.0.0.1:8124", ":8123")]
    [InlineData("--http_ports=8125", ":8125")]
    [InlineData("--Kestrel:Endpoints:A:Url=http://[::1]:8126", ":8126")]
    [InlineData("--unrelated=1", ":8127")]
    public void The_default_name_is_the_machine_and_the_first_port(string setting, string end)
    {
        var builder = PushProgram.CreateBuilder([setting]).UseDefaultUrl("http://localhost:8127");
        Assert.Equal(Environment.MachineName + end, PushProgram.DefaultName(builder));
    }

    private static async Task AssertEndsWithAsync(SampleProcess sample, string sentence)
    {
        (var exitCode, var output, var errors) = await sample.EndedAsync();
        Assert.Equal(sentence + Environment.NewLine, errors);
        Assert.Equal(1, exitCode);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]{4}: ")]
    private static partial Regex LogLine();
}
