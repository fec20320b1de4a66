using System.Text;
using System.Text.RegularExpressions;
using PushNode.Hooks;
using PushNode.Settings;
using PushNode.Telemetry;
using TestSupport.Processes;

namespace PushNode.Tests.Hooks;

/// <summary>The receiver of docs/hooks.md, run by a real Python.</summary>
public sealed partial class DocumentedReceiverTests
{
    [Fact]
    public async Task The_documented_receiver_accepts_what_is_signed_and_prints_each_event_once()
    {
        var port = FreePort.Next();
        var folder = Directory.CreateTempSubdirectory("push-hooks-");
        try
        {
            var script = Path.Combine(folder.FullName, "receiver.py");
            await File.WriteAllTextAsync(script, Script().Match(Repository.Read("docs/hooks.md")).Groups[1].Value, TestContext.Current.CancellationToken);
            await using var python = Tool.Start("env", [$"HOOKS_SECRET={HookHost.Secret}", $"PORT={port}", InstalledProgram.Find("python3"), script]);

            var settings = new HookSettings { Url = $"http://localhost:{port}/push", Secret = HookHost.Secret, Timeout = Eventually.Patience };
            using var receiver = new HookReceiver(settings, TimeProvider.System);
            var body = HookBody.Write("batch-1", "node-1", 0, [new HookEvent(HookEventName.RoomOccupied, DateTimeOffset.UtcNow, "demo")]);
            await Eventually.HoldsAsync(async () => await SendAsync(receiver, body) == HookRequest.Delivered, "the receiver listens", () => python.Output);
            Assert.Equal(HookRequest.Delivered, await SendAsync(receiver, body));

            using var stranger = new HookReceiver(
                new HookSettings { Url = settings.Url, Secret = HookHost.Secret[..^1] + "x", Timeout = Eventually.Patience }, TimeProvider.System);
            Assert.Equal(HookRequest.Rejected, await SendAsync(stranger, Encoding.UTF8.GetBytes("{}")));
            using var late = new HookReceiver(settings, new ManualTime());
            Assert.Equal(HookRequest.Rejected, await SendAsync(late, body));

            var last = HookBody.Write("batch-2", "node-1", 0, [new HookEvent(HookEventName.UserOffline, DateTimeOffset.UtcNow, User: "alice")]);
            Assert.Equal(HookRequest.Delivered, await SendAsync(receiver, last));
            await python.WroteAsync("alice");
            Assert.Equal("room.occupied demo \nuser.offline  alice\n", python.Output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<HookRequest> SendAsync(HookReceiver receiver, byte[] body) =>
        (await receiver.SendAsync("batch", body, TestContext.Current.CancellationToken)).Result;

    [GeneratedRegex("(?s)```python\n(.*?)```")]
    private static partial Regex Script();
}
