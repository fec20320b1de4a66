using PushNode.Connections;

namespace RedisPush.MicroBenchmarks;

/// <summary>Takes everything and does nothing with it: what is left is the cost before the system call.</summary>
internal sealed class NullWire : IWire
{
    public int? Socket => null;

    public void Attach(Connection connection)
    {
    }

    public Task RunAsync() => Task.CompletedTask;

    public int TryWrite(ReadOnlyMemory<byte> bytes) => bytes.Length;

    public void Complete()
    {
    }

    public void Abort()
    {
    }
}
