using System.Buffers;

namespace PushNode.Tests;

/// <summary>A payload that throws after it has been read this many times.</summary>
internal sealed class FaultyMemory(byte[] bytes, int looks) : MemoryManager<byte>
{
    private int _looks = looks;

    public override Memory<byte> Memory => CreateMemory(bytes.Length);

    public override Span<byte> GetSpan() => Interlocked.Decrement(ref _looks) >= 0 ? bytes : throw new InvalidOperationException("A bug of the test.");

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
