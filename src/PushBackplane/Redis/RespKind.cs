namespace PushBackplane.Redis;

/// <summary>What a reply to a subscriber is.</summary>
internal enum RespKind
{
    Status,
    Error,
    Number,
    Message,
    Subscribed,
    Unsubscribed,
}
