namespace PushApi.Access;

/// <summary>What a caller of the API may do. A route needs one of them; a key has one or several.</summary>
public enum ApiScope
{
    /// <summary>Publish messages.</summary>
    Publish,

    /// <summary>Read counts of rooms, users and nodes, and the messages that rooms keep.</summary>
    Read,

    /// <summary>Disconnect, remove, ban and mute users, delete the messages that rooms keep, and drain.</summary>
    Admin,
}

/// <summary>Declares what a route of the API needs. A route that declares nothing does not start.</summary>
public static class RouteScopes
{
    /// <summary>Only callers with this scope may use the route.</summary>
    /// <param name="route">The route.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="allRooms">Whether a caller must have all rooms too, because the route reaches all. Otherwise the endpoint asks the caller.</param>
    public static TBuilder Needs<TBuilder>(this TBuilder route, ApiScope scope, bool allRooms = false) where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new RouteNeed(scope, allRooms));

    /// <summary>Everybody may use the route: it publishes nothing and its answers are the same on every farm.</summary>
    internal static TBuilder NeedsNothing<TBuilder>(this TBuilder route) where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new RouteNeed(null, AllRooms: false));

    /// <summary>What an endpoint needs.</summary>
    /// <exception cref="InvalidOperationException">It declares nothing, which is a bug.</exception>
    internal static RouteNeed NeedOf(EndpointBuilder endpoint) => Find(endpoint.Metadata)
        ?? throw new InvalidOperationException($"The route {endpoint.DisplayName} declares no scope.");

    /// <summary>What an endpoint with this metadata needs; null for nothing.</summary>
    internal static ApiScope? ScopeOf(IList<object> metadata) => Find(metadata)?.Scope;

    /// <summary>A scope as settings and errors write it.</summary>
    internal static string NameOf(ApiScope scope) => scope.ToString().ToLowerInvariant();

    private static RouteNeed? Find(IList<object> metadata) => metadata.OfType<RouteNeed>().LastOrDefault();
}

/// <summary>What a route needs of a caller.</summary>
/// <param name="Scope">The scope; null if everybody may use the route.</param>
/// <param name="AllRooms">Whether the caller must have all rooms.</param>
internal sealed record RouteNeed(ApiScope? Scope, bool AllRooms);
