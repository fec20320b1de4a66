using PushBackplane.Servers;

namespace PushBackplane.Tests.Servers;

public sealed class JumpHashTests
{
    /// <summary>Known answers, also of other programs' implementations.</summary>
    [Theory]
    [InlineData(1UL, 1, 0)]
    [InlineData(42UL, 57, 43)]
    [InlineData(0xDEAD10CCUL, 1, 0)]
    [InlineData(0xDEAD10CCUL, 666, 361)]
    [InlineData(256UL, 1024, 520)]
    [InlineData(0UL, 1_000_000, 0)]
    [InlineData(ulong.MaxValue, 3, 2)]
    [InlineData(ulong.MaxValue, 1_000_000, 589_430)]
    public void A_key_has_its_bucket_for_ever(ulong key, int buckets, int bucket) => Assert.Equal(bucket, JumpHash.Bucket(key, buckets));

    [Fact]
    public void There_is_at_least_one_bucket() => Assert.Throws<ArgumentOutOfRangeException>(() => JumpHash.Bucket(1, 0));
}
