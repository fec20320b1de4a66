using Microsoft.AspNetCore.Routing.Matching;

namespace PushFarm;

/// <summary>
/// Keeps an endpoint on one of the program's ports, the port on which the connection arrived, whatever the Host header says.
/// </summary>
internal sealed class LocalPortPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    public override int Order => 0;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(endpoint => PortOf(endpoint) is not null);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (PortOf(candidates[i].Endpoint) is { } port && port != httpContext.Connection.LocalPort)
                candidates.SetValidity(i, false);
        }

        return Task.CompletedTask;
    }

    private static int? PortOf(Endpoint endpoint) => endpoint.Metadata.GetMetadata<LocalPort>()?.Port;

    /// <summary>Marks an endpoint.</summary>
    internal sealed record LocalPort(int Port);
}
