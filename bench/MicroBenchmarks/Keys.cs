using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using PushApi.Access;
using PushApi.Settings;

namespace RedisPush.MicroBenchmarks;

/// <summary>Finding the caller of a key, or of one that no setting has. What it costs, and that it does not depend on how much is right.</summary>
public class Keys
{
    private readonly string _wrong = ApiKeyText.Make();
    private readonly string _right = ApiKeyText.Make();
    private KeyRing _ring = null!;

    /// <summary>The number of keys.</summary>
    [Params(1, 1000)]
    public int Count { get; set; }

    /// <summary>How many hex digits of the wrong key's hash another key's hash begins with.</summary>
    [Params(0, 32, 63)]
    public int Shared { get; set; }

    /// <summary>Makes the keys.</summary>
    [GlobalSetup]
    public void Make()
    {
        var near = Convert.ToHexStringLower(ApiKeyText.Hash(_wrong));
        near = near[..Shared] + (near[Shared] == '0' ? '1' : '0') + near[(Shared + 1)..];
        string[] hashes =
        [
            near, .. Enumerable.Range(2, Count).Select(_ => RandomNumberGenerator.GetHexString(64, lowercase: true)).Take(Count - 1),
            Convert.ToHexStringLower(ApiKeyText.Hash(_right)),
        ];
        var settings = new PushApiSettings
        {
            Keys = [.. hashes.Select((hash, i) => new ApiKeySettings { Name = $"{i}", Sha256 = hash })],
        };
        _ring = new KeyRing(settings, TimeProvider.System);
    }

    /// <summary>A key that a setting has.</summary>
    [Benchmark]
    public bool Right() => _ring.Find(_right) is not null;

    /// <summary>A key that no setting has.</summary>
    [Benchmark]
    public bool Wrong() => _ring.Find(_wrong) is not null;
}
