using System.Buffers;
using System.Globalization;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>One command of a <see cref="SubscriberConnection"/>, and who waits for its answer.</summary>
internal sealed class Command(params string[] words)
{
    private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The channel that a subscription begins or ends; null for other commands.</summary>
    public string? Channel { get; private init; }

    /// <summary>Who gets the payloads once Redis has acknowledged; null when the subscription ends.</summary>
    public Action<byte[]>? OnPayload { get; private init; }

    /// <summary>What Redis says when it has done it.</summary>
    private RespKind Acknowledgement { get; init; } = RespKind.Status;

    /// <summary>True when Redis has done it; false when it refused or the connection died.</summary>
    public Task<bool> Answer => _answer.Task;

    public static Command Subscribe(string channel, Action<byte[]> onPayload) => new("SUBSCRIBE", channel) { Channel = channel, OnPayload = onPayload, Acknowledgement = RespKind.Subscribed };

    public static Command Unsubscribe(string channel) => new("UNSUBSCRIBE", channel) { Channel = channel, Acknowledgement = RespKind.Unsubscribed };

    /// <summary>Whether this can be the answer: an error, or the acknowledgement of this very command.</summary>
    public bool IsAnsweredBy(in RespReply reply) =>
        reply.Kind == RespKind.Error || (reply.Kind == Acknowledgement && (Channel is null || reply.Channel.SequenceEqual(Encoding.UTF8.GetBytes(Channel))));

    public void Complete(bool done) => _answer.TrySetResult(done);

    /// <summary>Writes it as RESP: an array of strings.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{words.Length}\r\n"), output);
        foreach (var word in words)
        {
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n"), output);
            Encoding.UTF8.GetBytes(word, output);
            output.Write("\r\n"u8);
        }
    }
}
