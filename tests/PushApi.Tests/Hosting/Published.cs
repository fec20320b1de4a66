using System.Text;
using PushBackplane;

namespace PushApi.Tests.Hosting;

/// <summary>One envelope that reached the fake backplane.</summary>
public sealed record Published(string Channel, DateTimeOffset PublishedAt, byte[][] Items)
{
    /// <summary>The items as text.</summary>
    public string[] Texts => [.. Items.Select(Encoding.UTF8.GetString)];

    public static Published Decode(string channel, ReadOnlyMemory<byte> payload)
    {
        // Commands travel as they are.
        if (channel == "push:control")
            return new Published(channel, default, [payload.ToArray()]);
        Assert.True(Envelope.TryDecode(payload, out var publishedAt, out var items), "The API published something that is no envelope.");
        return new Published(channel, publishedAt, [.. items.Select(item => item.ToArray())]);
    }
}
