namespace PushHosting.Tests.Support;

internal enum OutboxPolicy
{
    DropOldest,
    Disconnect,
}
