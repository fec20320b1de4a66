using Microsoft.Extensions.Options;

namespace RedisPush.Publisher;

/// <summary>How an <see cref="HttpPublisher"/> publishes. It copies them when it is made.</summary>
public sealed class HttpPublisherOptions
{
    /// <summary>Where the publish API is: <c>http://localhost:7799</c>. Required. A path is kept, as a proxy may want one.</summary>
    public Uri? Url { get; set; }

    /// <summary>The key to publish with, for a farm whose API wants one; sent as <c>Authorization: Bearer</c>. None by default.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// Whether each publish has an <c>Idempotency-Key</c>, true by default. It costs the farm's Redis about twice the CPU of a publish.
    /// Without it the publisher repeats only what has certainly not been published, so that it publishes at most once.
    /// </summary>
    public bool UseIdempotencyKeys { get; set; } = true;

    /// <summary>
    /// How long to retry, 30 s by default: no attempt begins later. The API remembers a key for two minutes; after a longer time a retry
    /// could publish twice.
    /// </summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt may take, 10 s by default. The API answers within 2 s of the end of a body.</summary>
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The first wait before a retry is random, up to this: 200 ms by default. The bound doubles with each failure.</summary>
    public TimeSpan MinDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What that bound grows to: 5 s by default. The API's <c>Retry-After</c> comes on top.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock; the system's by default.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The first thing that is wrong, as one sentence that names the option; null if nothing is.</summary>
    internal string? Problem()
    {
        if (Url is not { IsAbsoluteUri: true, Scheme: "http" or "https", Query: "", Fragment: "" })
            return $"{nameof(Url)} must be an absolute http:// or https:// URL without query and fragment, http://localhost:7799 for example; it is '{Url}'.";
        // Never the key itself: the sentence may reach a log.
        if (ApiKey is not null && (ApiKey.Length == 0 || ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~')))
            return $"{nameof(ApiKey)} must be printable ASCII without spaces.";
        return NotBetween(nameof(RetryFor), RetryFor, TimeSpan.Zero, TimeSpan.FromSeconds(100))
            ?? NotBetween(nameof(AttemptTimeout), AttemptTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(100))
            ?? NotBetween(nameof(MinDelay), MinDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(100))
            ?? NotBetween(nameof(MaxDelay), MaxDelay, MinDelay, TimeSpan.FromSeconds(100))
            ?? (TimeProvider is null ? $"{nameof(TimeProvider)} must not be null." : null);
    }

    internal HttpPublisherOptions Copy() => (HttpPublisherOptions)MemberwiseClone();

    private static string? NotBetween(string name, TimeSpan value, TimeSpan least, TimeSpan most) =>
        value < least || value > most ? $"{name} must be between {least} and {most}; it is {value}." : null;
}

/// <summary>Checks the options of a container's publisher before it is made.</summary>
internal sealed class HttpPublisherOptionsCheck : IValidateOptions<HttpPublisherOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpPublisherOptions options) =>
        options.Problem() is { } problem ? ValidateOptionsResult.Fail($"RedisPush publisher: {problem}") : ValidateOptionsResult.Success;
}
