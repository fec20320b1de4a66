using PushApi.Problems;
using PushApi.Telemetry;
using PushHosting.Network;

namespace PushApi.Access;

/// <summary>
/// Decides who calls the API. With keys, a caller needs one; without, it must be inside: on this machine or in a private network.
/// Stateless; any thread.
/// </summary>
internal sealed class ApiAccess
{
    private readonly KeyRing _keys;
    private readonly PushApiMetrics _metrics;

    public ApiAccess(KeyRing keys, PushApiMetrics metrics)
    {
        (_keys, _metrics) = (keys, metrics);
        metrics.Show([.. keys.Callers.Select(caller => caller.Use)]);
    }

    /// <summary>Finds the caller of a request and checks that it may use the route.</summary>
    /// <param name="context">The request.</param>
    /// <param name="scope">What the route needs.</param>
    /// <param name="caller">The caller, if the result is null.</param>
    /// <returns>What is wrong, or null.</returns>
    public Problem? Check(HttpContext context, ApiScope scope, out ApiCaller caller)
    {
        caller = ApiCaller.Anyone;
        if (_keys.Callers.Count == 0)
            return ClientAddress.IsInternal(context) ? null : Outside();

        var fault = PresentedKey.Read(context.Request.Headers, out var key);
        if (fault is null && _keys.Find(key) is { } found)
        {
            caller = found;
            return found.MayCall(scope);
        }
        return Unauthorized(fault ?? KeyFault.Unknown);
    }

    private static Problem Outside() => new(
        ProblemType.Outside,
        "The API has no keys, so it answers only to loopback and private addresses, and through a proxy only if Proxies:Trusted lists it. "
        + "To let others publish, give them keys (PushApi:Keys).",
        consequence: "");

    private Problem Unauthorized(KeyFault fault)
    {
        _metrics.Unauthorized(fault);
        var what = fault switch
        {
            KeyFault.Missing => "The request has no key",
            KeyFault.Malformed => "The request has something else than one key",
            _ => "The API does not know this key",
        };
        return new Problem(
            ProblemType.Unauthorized, $"{what}; send one as 'Authorization: Bearer KEY' or '{PresentedKey.Header}: KEY'.", consequence: "");
    }
}
