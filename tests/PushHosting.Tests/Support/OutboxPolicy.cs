namespace PushHosting.Tests;

internal enum OutboxPolicy
{
    DropOldest,
    Disconnect,
}
