using Microsoft.AspNetCore.Mvc;
using PushApi.Problems;
using PushApi.Requests;
using PushApi.Settings;

namespace PushApi.Endpoints;

/// <summary>Maps the publish API.</summary>
public static class PushApiRoutes
{
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
        var guard = new RequestGuard(services.GetRequiredService<PageAccess>(), refusals);

        var api = endpoints.MapGroup("");
        api.WithMetadata(new RequestSizeLimitAttribute(BodyReader.KestrelLimit(settings)));
        ((IEndpointConventionBuilder)api).Finally(endpoint => endpoint.RequestDelegate = guard.Around(endpoint.RequestDelegate!));

        api.MapPublish("/v1/rooms/{room}/messages", refusals, (publish, context) => publish.ToRoomAsync(context)).DescribeRoom();
        api.MapPublish("/v1/messages", refusals, (publish, context) => publish.ToRoomsAsync(context)).DescribeRooms();
        api.MapPublish("/v1/broadcast", refusals, (publish, context) => publish.ToAllAsync(context)).DescribeBroadcast();
        api.MapPublish("/push/room", refusals, (publish, context) => publish.FormToRoomAsync(context)).DescribeRoomForm();
        api.MapPublish("/push/all", refusals, (publish, context) => publish.FormToAllAsync(context)).DescribeBroadcastForm();

        api.MapOpenApi(OpenApiPattern);
        api.MapOtherMethods(OpenApiPattern, refusals, HttpMethods.Get);
        api.MapFallback("{**path}", context => refusals.AnswerAsync(context, new Problem(
            ProblemType.NotFound, $"Unknown path; /openapi/{ApiDescription.Document}.json describes the routes.")));
        return api;
    }

    private static RouteHandlerBuilder MapPublish(
        this RouteGroupBuilder api, string pattern, Refusals refusals, Func<PublishEndpoints, HttpContext, Task<Problem?>> publish)
    {
        api.MapOtherMethods(pattern, refusals, HttpMethods.Post);
        return api.MapPost(pattern, async (PublishEndpoints endpoints, HttpContext context) =>
        {
            if (await publish(endpoints, context) is { } problem)
                await refusals.AnswerAsync(context, problem);
        });
    }

    /// <summary>Needed because the 404 above takes precedence over routing's own 405, which also lacks a body.</summary>
    private static void MapOtherMethods(this RouteGroupBuilder api, string pattern, Refusals refusals, string method) =>
        api.Map(pattern, context =>
        {
            context.Response.Headers.Allow = method;
            return refusals.AnswerAsync(context, new Problem(ProblemType.MethodNotAllowed, $"This route accepts {method} only."));
        });
}
