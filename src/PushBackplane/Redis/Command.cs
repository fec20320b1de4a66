using System.Buffers;
using System.Globalization;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>One command of a <see cref="RedisConnection"/>, with the task that its reply completes.</summary>
internal sealed class Command(params string[] words)
{
    private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[][] _payloads = [];

    /// <summary>The channel of a SUBSCRIBE or UNSUBSCRIBE; null for other commands.</summary>
    public string? Channel { get; private init; }

    /// <summary>Called with the payloads once Redis has acknowledged; null for UNSUBSCRIBE.</summary>
    public Action<byte[]>? OnPayload { get; private init; }

    /// <summary>The command's first word.</summary>
    public string Name => words[0];

    /// <summary>Whether a refusal of this command makes the connection useless.</summary>
    public bool IsVital { get; private init; }

    /// <summary>The number in the reply.</summary>
    public long Number { get; private set; }

    /// <summary>The bytes of a reply that is neither a number nor an error.</summary>
    public byte[] Status { get; private set; } = [];

    /// <summary>Why Redis refused; null unless it did.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The kind of refusal, if there is one.</summary>
    public RefusalKind RefusalKind { get; private set; }

    /// <summary>The kind of reply that means success.</summary>
    private RespKind Acknowledgement { get; init; } = RespKind.Status;

    /// <summary>True when Redis has executed the command; false when it refused or the connection died.</summary>
    public Task<bool> Answer => _answer.Task;

    public static Command Subscribe(string channel, Action<byte[]> onPayload) =>
        new("SUBSCRIBE", channel) { Channel = channel, OnPayload = onPayload, Acknowledgement = RespKind.Subscribed, IsVital = true };

    public static Command Unsubscribe(string channel) =>
        new("UNSUBSCRIBE", channel) { Channel = channel, Acknowledgement = RespKind.Unsubscribed, IsVital = true };

    public static Command Publish(string channel, byte[] payload) => new("PUBLISH", channel) { _payloads = [payload], Acknowledgement = RespKind.Number };

    public static Command Evaluate(RedisScript script) => new(script.Command) { _payloads = script.Words };

    /// <summary>
    /// Authenticates. Without a user the command is not vital: a refusal may only mean that Redis needs no password, and a Redis that needs
    /// a different one refuses the next command too.
    /// </summary>
    public static Command Authenticate(string? user, string password) =>
        user is null ? new Command("AUTH", password) : new Command("AUTH", user, password) { IsVital = true };

    /// <summary>Whether a reply can belong to this command: an error, or this command's acknowledgement.</summary>
    public bool IsAnsweredBy(in RespReply reply) =>
        reply.Kind == RespKind.Error
        || (reply.Kind == Acknowledgement && (Channel is null || reply.Channel.SequenceEqual(Encoding.UTF8.GetBytes(Channel))));

    /// <summary>Ends the wait with a reply.</summary>
    public void Complete(in RespReply reply)
    {
        Number = reply.Number;
        if (reply.Kind == RespKind.Error)
        {
            Refusal = RedisFailure.Describe(reply.Payload, Name);
            RefusalKind = RedisFailure.KindOf(reply.Payload, Name);
        }
        else if (reply.Kind == RespKind.Status)
        {
            Status = reply.Payload.ToArray();
        }

        _answer.TrySetResult(Refusal is null);
    }

    /// <summary>Ends the wait without a reply.</summary>
    public void GiveUp() => _answer.TrySetResult(false);

    /// <summary>Writes the command as RESP: an array of strings.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{words.Length + _payloads.Length}\r\n"), output);
        foreach (var word in words)
            WriteString(output, Encoding.UTF8.GetBytes(word));
        foreach (var payload in _payloads)
            WriteString(output, payload);
    }

    private static void WriteString(IBufferWriter<byte> output, byte[] value)
    {
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"${value.Length}\r\n"), output);
        output.Write(value);
        output.Write("\r\n"u8);
    }
}
