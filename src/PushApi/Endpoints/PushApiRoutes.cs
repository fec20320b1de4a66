using Microsoft.AspNetCore.Mvc;
using PushApi.Problems;
using PushApi.Requests;
using PushApi.Telemetry;

namespace PushApi.Endpoints;

/// <summary>Maps the publish API.</summary>
public static class PushApiRoutes
{
    private const string OpenApiPattern = "/openapi/{documentName}.json";

    /// <summary>
    /// Maps all routes of the API, its 404 and 405 included. The result stands for all of them, so that a host with several ports can
    /// restrict them to one.
    /// </summary>
    public static RouteGroupBuilder MapPushApi(this IEndpointRouteBuilder endpoints)
    {
        var settings = endpoints.ServiceProvider.GetRequiredService<PushApiSettings>();
        // Made now and not by the first request, so that every series is exported from the start.
        endpoints.ServiceProvider.GetRequiredService<PushApiMetrics>();

        var guard = new RequestGuard(endpoints.ServiceProvider.GetRequiredService<PageAccess>());
        var api = endpoints.MapGroup("");
        api.WithMetadata(new RequestSizeLimitAttribute(BodyReader.KestrelLimit(settings)));
        ((IEndpointConventionBuilder)api).Finally(endpoint => endpoint.RequestDelegate = guard.Around(endpoint.RequestDelegate!));

        api.MapPublish("/v1/rooms/{room}/messages", (context, publish) => publish.ToRoomAsync(context)).DescribeRoom();
        api.MapPublish("/v1/messages", (context, publish) => publish.ToRoomsAsync(context)).DescribeRooms();
        api.MapPublish("/v1/broadcast", (context, publish) => publish.ToAllAsync(context)).DescribeBroadcast();
        api.MapPublish("/push/room", (context, publish) => publish.FormToRoomAsync(context)).DescribeRoomForm();
        api.MapPublish("/push/all", (context, publish) => publish.FormToAllAsync(context)).DescribeBroadcastForm();

        api.MapOpenApi(OpenApiPattern);
        api.MapOtherMethods(OpenApiPattern, HttpMethods.Get);
        api.MapFallback("{**path}", NotFound);
        return api;
    }

    private static RouteHandlerBuilder MapPublish(this RouteGroupBuilder api, string pattern, Func<HttpContext, PublishEndpoints, Task<IResult>> publish)
    {
        api.MapOtherMethods(pattern, HttpMethods.Post);
        return api.MapPost(pattern, (HttpContext context, PublishEndpoints endpoints) => publish(context, endpoints));
    }

    /// <summary>Routing's own 405 has no body, and the 404 below would win over it anyway.</summary>
    private static void MapOtherMethods(this RouteGroupBuilder api, string pattern, string method) =>
        api.Map(pattern, context =>
        {
            context.Response.Headers.Allow = method;
            return new Problem(ProblemType.MethodNotAllowed, $"This route takes {method} only.").ExecuteAsync(context);
        });

    private static Task NotFound(HttpContext context) => new Problem(
        ProblemType.NotFound,
        $"There is nothing here. The routes are described at /openapi/{ApiDescription.Document}.json.").ExecuteAsync(context);
}
