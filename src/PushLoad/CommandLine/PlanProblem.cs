using System.Text;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Publishing;

namespace PushLoad.CommandLine;

/// <summary>The rules that options must follow.</summary>
internal static class PlanProblem
{
    // Many systems allow 20,000 descriptors per process, and the program itself needs some.
    private const int MaxPerProcess = 19_000;

    private const int MaxProcesses = 250;
    private const int MaxUsers = 100_000;
    private const int MaxMessageBytes = 65_536;
    private const double MaxRate = 1_000_000;
    private const double MaxRetrySeconds = 100;
    private const double MaxSeconds = 7 * 24 * 3600;

    /// <returns>A sentence that names the option and what it accepts; null when the plan is valid.</returns>
    public static string? Of(LoadPlan plan)
    {
        var scheme = plan.HasWayIn ? "ws" : "http";
        var example = plan.HasWayIn ? "ws://localhost:7777/ws" : $"http://localhost:7777/{plan.Protocol.ToString().ToLowerInvariant()}";
        var wrongTarget = Array.Find(plan.Targets, target => !IsAddress(target, scheme));
        var leastProcesses = (plan.Connections + MaxPerProcess - 1) / MaxPerProcess;
        var perProcess = (plan.Connections + plan.Processes - 1) / Math.Max(1, plan.Processes);
        (bool Ok, string Rule)[] rules =
        [
            (wrongTarget is null, $"url is '{wrongTarget}'; with this --protocol it accepts addresses like {example}."),
            (!plan.Deflate || plan.HasWayIn, "--deflate needs --protocol ws or msgpack: a stream over HTTP is never deflated."),
            (plan.Churn == 0 || plan.HasWayIn, "--churn needs --protocol ws or msgpack: over HTTP a client cannot leave or join; use --reconnects."),
            (plan.Send.Length == 0 || plan.HasWayIn, "--send needs --protocol ws or msgpack: over HTTP a client cannot send."),
            (plan.Processes is >= 1 and <= MaxProcesses, $"--processes accepts 1 to {MaxProcesses}."),
            (plan.Connections >= plan.Processes, "--connections accepts at least 1 for each process."),
            (perProcess <= MaxPerProcess, $"--connections accepts 19,000 for each process: --processes must be at least {leastProcesses}."),
            (plan.Threads is >= 1 and <= 64, "--threads accepts 1 to 64."),
            (plan.Rooms is >= 1 and <= 100_000, "--rooms accepts 1 to 100,000."),
            (plan.RoomsPerConnection >= 1 && plan.RoomsPerConnection <= plan.Rooms, "--rooms-per-connection accepts 1 to the number of --rooms."),
            (plan.PublishUrl is null || IsHttpAddress(plan.PublishUrl), "--publish accepts an address like http://localhost:7799."),
            (plan.Redis is null || RedisAddress.IsValid(plan.Redis), "--redis accepts host:port."),
            (plan.TokenKey is null || Encoding.UTF8.GetByteCount(plan.TokenKey) >= 32, "--token-key accepts 32 bytes or more."),
            (plan.Users is >= 0 and <= MaxUsers, "--users accepts 0 to 100,000."),
            (plan.Users == 0 || plan.TokenKey is not null, "--users needs --token-key."),
            (plan.SendRate is >= 0 and <= MaxRate, "--send-rate accepts 0 to 1,000,000."),
            (plan.SendRate == 0 || (plan.TokenKey is not null && plan.HasWayIn && !plan.Raw), "--send-rate needs --token-key and --protocol ws or msgpack."),
            (plan.UserRate is >= 0 and <= MaxRate, "--user-rate accepts 0 to 1,000,000."),
            (plan.UserRate == 0 || (plan.TokenKey is not null && plan.Publishes && !plan.Raw), "--user-rate needs --token-key, and --publish or --redis."),
            (!plan.Online || (plan.HasWayIn && !plan.Raw), "--online needs --protocol ws or msgpack."),
            (plan.ApiKey is null || plan.PublishUrl is not null, "--api-key needs --publish."),
            (plan.ApiKey is null || (plan.ApiKey.Length > 0 && !plan.ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~')), "--api-key accepts ASCII without spaces."),
            (plan.PublishUrl is null || plan.Redis is null, "--publish and --redis cannot be combined."),
            (!plan.Raw || !plan.Publishes, "--raw cannot publish: it does not read the server's messages."),
            (plan.Raw || plan.Send.Length == 0, "--send needs --raw."),
            (!plan.Raw || (plan.Churn == 0 && plan.SlowReaders == 0), "--raw has no rooms: it cannot be combined with --churn or --slow-readers."),
            (plan.Lanes is >= 1 and <= 64, "--publishers accepts 1 to 64."),
            (plan.Rate is > 0 and <= MaxRate || (plan.Rate == 0 && plan.UserRate > 0), "--rate accepts more than 0, up to 1,000,000; 0 with --user-rate."),
            (plan.Burst is >= 1 and <= Bursts.MaxMessages, $"--burst accepts 1 to {Bursts.MaxMessages}."),
            (plan.Burst == 1 || plan.Rate * plan.Duration.TotalSeconds / plan.Burst <= Bursts.Max, $"--burst accepts at most {Bursts.Max} bursts in a run."),
            (plan.Size is >= 1 and <= MaxMessageBytes, "--size accepts 1 to 65,536."),
            (plan.Duration.TotalSeconds is > 0 and <= MaxSeconds, "--duration accepts seconds up to a week."),
            (plan.ConnectTimeout.TotalSeconds is > 0 and <= MaxSeconds, "--connect-timeout accepts seconds up to a week."),
            (plan.Pause.TotalSeconds is >= 0 and <= MaxSeconds, "--pause accepts seconds up to a week."),
            (plan.Drain.TotalSeconds is >= 0 and <= MaxSeconds, "--drain accepts seconds up to a week."),
            (plan.ConnectRate >= 0, "--connect-rate accepts 0 or more."),
            (plan.Churn >= 0, "--churn accepts 0 or more."),
            (plan.Reconnects >= 0, "--reconnects accepts 0 or more."),
            (plan.CutEvery is >= 0 and <= MaxSeconds, "--cut-every accepts 0 or seconds up to a week."),
            (plan.CutAllAfter is >= 0 and <= MaxSeconds, "--cut-all-after accepts 0 or seconds up to a week."),
            (plan.Resume || (plan.CutEvery == 0 && plan.CutAllAfter == 0), "--cut-every and --cut-all-after need --resume."),
            (!plan.Resume || !plan.Raw, "--resume cannot be combined with --raw: positions are in the server's messages."),
            (plan.ReadEvery is >= 0 and <= 1, "--read-every accepts 0 to 1 second."),
            (plan.Seed >= 0, "--seed accepts 0 or more."),
            (plan.Retry.TotalSeconds is >= 0 and <= MaxRetrySeconds, "--retry accepts 0 to 100 seconds: the API forgets a key after 120."),
            (plan.Retry == TimeSpan.Zero || plan.PublishUrl is not null, "--retry needs --publish."),
            (plan.SlowReaders >= 0 && plan.SlowReaders <= plan.Connections, "--slow-readers accepts 0 to the number of --connections."),
            (plan.SlowRate >= 0, "--slow-rate accepts 0 or more."),
            (Array.TrueForAll(plan.Headers, IsHeader), "--header accepts \"Name: value\"."),
        ];
        return rules.FirstOrDefault(rule => !rule.Ok).Rule;
    }

    private static bool IsAddress(string text, string scheme) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == scheme;

    private static bool IsHeader(string line) => line.Contains(':', StringComparison.Ordinal) && !line.AsSpan().ContainsAny('\r', '\n');

    private static bool IsHttpAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
