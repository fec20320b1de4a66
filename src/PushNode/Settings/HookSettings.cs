using System.Net;
using PushHosting.Network;
using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Hooks</c>: where a node tells what happens, and what.</summary>
internal sealed class HookSettings : ICheckedSettings
{
    public const string Section = "Hooks";

    private const int LeastSecret = 32;

    /// <summary>The receiver; empty for no hooks.</summary>
    [ShownWithoutQuery]
    public string Url { get; set; } = "";

    /// <summary>The key of the signatures, as text.</summary>
    public string Secret { get; set; } = "";

    /// <summary>
    /// The events to tell, separated by commas. All but <c>message.sent</c> unless set: that one is an event, and a copy of the message, for each SEND.
    /// </summary>
    public string Events { get; set; } = "room.occupied,room.vacated,user.online,user.offline";

    /// <summary>How long the first event of a batch waits for others.</summary>
    [Duration("00:00:00", "00:00:10")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most events in one request.</summary>
    [Number(1, 10_000)]
    public int MaxBatch { get; set; } = 100;

    /// <summary>The most events that wait. At a thousand a second, ten seconds of a receiver that is away.</summary>
    [Number(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 10_000;

    /// <summary>The most bytes of messages in events that wait.</summary>
    [Number(65_536, 1024 * 1024 * 1024)]
    public long MaxWaitingBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>How long the receiver may take to answer.</summary>
    [Duration("00:00:00.1", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause before the first repetition; each further one is twice as long, up to half a minute, and a random part of it.</summary>
    [Duration("00:00:00.01", "00:00:30")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How old the first event of a batch may become before the batch is dropped.</summary>
    [Duration("00:00:01", "01:00:00")]
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether there are hooks.</summary>
    public bool Enabled => Url.Length > 0;

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        if (!Enabled)
            return Secret.Length > 0 ? $"{section}:Url is missing, although {section}:Secret is set; it accepts an https URL." : null;
        if (UrlProblem() is { } problem)
            return $"{section}:Url {problem}; it accepts an https URL, or an http URL of a private network, for example https://hooks.example.com/push.";
        if (Secret.Length < LeastSecret)
            return $"{section}:Secret has {Secret.Length} characters; it accepts at least {LeastSecret}, for example the output of 'openssl rand -hex 32'.";
        var names = Split(Events);
        return names.All(name => HookEventName.All.Contains(name, StringComparer.OrdinalIgnoreCase)) && names.Distinct(StringComparer.OrdinalIgnoreCase).Count() == names.Length
            ? null
            : $"{section}:Events is '{SettingText.Clean(Events)}'; it accepts {SettingText.List(HookEventName.All)} separated by commas, each once.";
    }

    /// <summary>Whether any event of rooms and users is to be told.</summary>
    public bool TellsCounts => HookEventName.All.Any(name => name != HookEventName.MessageSent && Tells(name));

    /// <summary>Whether an event is to be told.</summary>
    public bool Tells(string name) => Enabled && Split(Events).Contains(name, StringComparer.OrdinalIgnoreCase);

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>What is wrong, without the URL, which may hold a secret. The address of a name is checked when a connection is made.</summary>
    private string? UrlProblem()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp))
            return "is not an http or https URL";
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0)
            return "has a user or a fragment";
        return url.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(url.DnsSafeHost, out var address) && !ClientAddress.IsInternal(address)
            ? "is http to a public address"
            : null;
    }

    /// <summary>The path and query often hold a secret of the receiver.</summary>
    private sealed class ShownWithoutQueryAttribute : ShownAsAttribute
    {
        public override string Show(string value) => new Uri(value).GetLeftPart(UriPartial.Authority) + "/...";
    }
}

/// <summary>The names of the events, as settings and receivers know them.</summary>
internal static class HookEventName
{
    public const string RoomOccupied = "room.occupied";
    public const string RoomVacated = "room.vacated";
    public const string UserOnline = "user.online";
    public const string UserOffline = "user.offline";
    public const string MessageSent = "message.sent";

    public static string[] All { get; } = [RoomOccupied, RoomVacated, UserOnline, UserOffline, MessageSent];
}
