using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>One message: the whole body as a JSON string, even if it reads like JSON.</summary>
internal static class TextBody
{
    /// <summary>Reads the body.</summary>
    public static Problem? Read(Memory<byte> body, PublishRequest request) =>
        Utf8Check.Find(body.Span, Place.Body) ?? request.AddMessage(MessagePayload.EncodeText(body.Span), Place.Body);
}
