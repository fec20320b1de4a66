using Microsoft.AspNetCore.Mvc;
using PushApi.Access;
using PushApi.Problems;
using PushApi.Requests;
using PushApi.Settings;
using PushBackplane.Restrictions;

namespace PushApi.Endpoints;

/// <summary>Maps the publish API.</summary>
public static class PushApiRoutes
{
    private const string MessagesPattern = "/v1/rooms/{room}/messages";
    private const string OpenApiPattern = "/openapi/{documentName}.json";

    /// <summary>
    /// Maps all routes of the API, including its 404 and 405. The returned group holds all of them, so that a host with several ports can
    /// restrict them to one.
    /// </summary>
    public static RouteGroupBuilder MapPushApi(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var settings = services.GetRequiredService<PushApiSettings>();
        // Created now rather than by the first request, so that every series is exported from the start.
        var refusals = services.GetRequiredService<Refusals>();
        var guard = new RequestGuard(services.GetRequiredService<PageAccess>(), services.GetRequiredService<ApiAccess>(), refusals);

        var api = endpoints.MapGroup("");
        api.WithMetadata(new RequestSizeLimitAttribute(BodyReader.KestrelLimit(settings)));
        ((IEndpointConventionBuilder)api).Finally(endpoint =>
            endpoint.RequestDelegate = guard.Around(endpoint.RequestDelegate!, RouteScopes.NeedOf(endpoint)));

        var routes = new ApiRoutes(api, refusals);
        routes.MapPublish(MessagesPattern, (publish, context) => publish.ToRoomAsync(context)).DescribeRoom();
        routes.MapPublish("/v1/users/{user}/messages", (publish, context) => publish.ToUserAsync(context)).DescribeUser();
        routes.MapPublish("/v1/messages", (publish, context) => publish.ToRoomsAsync(context)).DescribeRooms();
        routes.MapPublish("/v1/broadcast", (publish, context) => publish.ToAllAsync(context)).DescribeBroadcast();
        routes.MapPublish("/push/room", (publish, context) => publish.FormToRoomAsync(context)).DescribeRoomForm();
        routes.MapPublish("/push/all", (publish, context) => publish.FormToAllAsync(context)).DescribeBroadcastForm();
        routes.MapAdmin(HttpMethods.Delete, "/v1/users/{user}/connections", (users, context) => users.DisconnectAsync(context)).DescribeDisconnect();
        routes.MapAdmin(HttpMethods.Delete, "/v1/rooms/{room}/members/{user}", (users, context) => users.RemoveAsync(context)).DescribeRemove();
        routes.MapAdmin(HttpMethods.Put, "/v1/users/{user}/ban", (users, context) => users.RestrictAsync(context, RestrictionKind.Ban)).DescribeBan();
        routes.MapAdmin(HttpMethods.Delete, "/v1/users/{user}/ban", (users, context) => users.LiftAsync(context, RestrictionKind.Ban)).DescribeUnban();
        routes.MapAdmin(HttpMethods.Put, "/v1/users/{user}/mute", (users, context) => users.RestrictAsync(context, RestrictionKind.Mute)).DescribeMute();
        routes.MapAdmin(HttpMethods.Delete, "/v1/users/{user}/mute", (users, context) => users.LiftAsync(context, RestrictionKind.Mute)).DescribeUnmute();
        routes.MapHistory(HttpMethods.Get, ApiScope.Read, (messages, context) => messages.ReadAsync(context)).DescribeRead();
        routes.MapHistory(HttpMethods.Delete, ApiScope.Admin, (messages, context) => messages.DeleteAsync(context)).DescribeDelete();
        routes.MapCount("/v1/rooms/{room}", (counts, context) => counts.RoomAsync(context)).DescribeCountOfRoom();
        routes.MapCount("/v1/rooms", (counts, context) => counts.RoomsAsync(context)).DescribeCountOfRooms();
        routes.MapCount("/v1/users/{user}", (counts, context) => counts.UserAsync(context)).DescribeCountOfUser();
        routes.MapCount("/v1/nodes", (counts, context) => counts.NodesAsync(context)).DescribeNodes();
        routes.MapCount("/v1/stats", (counts, context) => counts.StatsAsync(context)).DescribeStats();
        routes.MapCount("/stats", (counts, context) => counts.GoPushStatsAsync(context)).DescribeGoPushStats();
        routes.MapDescription(OpenApiPattern);
        routes.MapRest();
        return api;
    }

    private static RouteHandlerBuilder MapPublish(
        this ApiRoutes routes, string pattern, Func<PublishEndpoints, HttpContext, Task<Problem?>> publish) =>
        routes.Map(HttpMethods.Post, pattern, publish).Needs(ApiScope.Publish);

    private static RouteHandlerBuilder MapAdmin(
        this ApiRoutes routes, string method, string pattern, Func<UserEndpoints, HttpContext, Task<Problem?>> answer) =>
        routes.Map(method, pattern, answer).Needs(ApiScope.Admin);

    private static RouteHandlerBuilder MapHistory(
        this ApiRoutes routes, string method, ApiScope scope, Func<HistoryEndpoints, HttpContext, Task<Problem?>> answer) =>
        routes.Map(method, MessagesPattern, answer).Needs(scope);

    private static RouteHandlerBuilder MapCount(this ApiRoutes routes, string pattern, Func<CountEndpoints, HttpContext, Task<Problem?>> read) =>
        routes.Map(HttpMethods.Get, pattern, read).Needs(ApiScope.Read);
}
