using PushHosting.Settings;

namespace PushHosting.Tests.Support;

internal sealed class SampleSettings : ICheckedSettings
{
    public string Node { get; set; } = "";

    public string? RedisPassword { get; set; }

    [Number(1, 65536)]
    public int Shards { get; set; } = 16;

    public long Unbounded { get; set; }

    [Number(0, 1)]
    public double Jitter { get; set; } = 0.5;

    [Number(1, 10)]
    public int? Maybe { get; set; }

    [Number(1, 10)]
    public int RedisSecretNumber { get; set; } = 1;

    public bool Compress { get; set; }

    public OutboxPolicy Policy { get; set; } = OutboxPolicy.DropOldest;

    public string[] Origins { get; set; } = ["*"];

    public MergeSettings Merge { get; set; } = new();

    public RoomSettings[] Rooms { get; set; } = [];

    /// <summary>Not a key, because it has no setter.</summary>
    public int Derived => Shards * 2;

    public string? Problem(string section) => Node == "bad" ? $"{section}:Node is 'bad'; it accepts a good name." : null;

    internal sealed class MergeSettings : ICheckedSettings
    {
        [Duration("00:00:00.1", "00:01:00")]
        public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(1);

        [Duration("00:00:00", "00:00:01")]
        public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(50);

        public string? Problem(string section) =>
            Gather > Window ? $"{section}:Gather is longer than {section}:Window; it accepts a duration up to that." : null;
    }

    internal sealed class RoomSettings : ICheckedSettings
    {
        public string Pattern { get; set; } = "";

        [Number(1, 100)]
        public int Size { get; set; } = 10;

        public string? Problem(string section) => Pattern.Length == 0 ? $"{section}:Pattern is missing; it accepts a pattern." : null;
    }
}

internal enum OutboxPolicy
{
    DropOldest,
    Disconnect,
}
