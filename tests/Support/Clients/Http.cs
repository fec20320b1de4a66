using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using TestSupport.Processes;

namespace TestSupport.Clients;

/// <summary>Requests to the programs' HTTP sides.</summary>
public static class Http
{
    public const string Json = "application/json";
    public const string Lines = "application/x-ndjson";
    public const string Text = "text/plain";
    public const string Form = "application/x-www-form-urlencoded";
    public const string Problem = "application/problem+json";

    private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = Eventually.Patience };

    /// <summary>The status of a GET; null if there is no answer.</summary>
    public static async Task<HttpStatusCode?> StatusAsync(int port, string path)
    {
        try
        {
            return (await GetAsync(port, path)).Status;
        }
        catch (HttpRequestException)
        {
            return null; // Expected while a program starts or after it ended.
        }
    }

    public static async Task<HttpAnswer> GetAsync(int port, string path)
    {
        try
        {
            return await GetOnceAsync(port, path);
        }
        catch (HttpRequestException e) when (e.HttpRequestError != HttpRequestError.ConnectionError)
        {
            // Expected on a busy machine: the management port closes a connection whose request does not come within 5 s.
            return await GetOnceAsync(port, path);
        }
    }

    public static Task<HttpAnswer> PostAsync(int port, string path, string contentType, string body) => PostAsync(port, path, contentType, Encoding.UTF8.GetBytes(body));

    public static async Task<HttpAnswer> PostAsync(int port, string path, string contentType, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://127.0.0.1:{port}{path}")) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return await SendAsync(request);
    }

    public static async Task<HttpAnswer> SendAsync(HttpRequestMessage request)
    {
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return new HttpAnswer(
            answer.StatusCode,
            answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            answer.Headers.Concat(answer.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>
    /// Publishes one JSON message to a room and requires that it was accepted. On a busy machine the API may have to answer before it knows that, so
    /// the message has a key, with which it is published once.
    /// </summary>
    /// <returns>What the API answered.</returns>
    public static async Task<JsonElement> PublishAsync(ProgramProcess api, string room, string json)
    {
        var key = Guid.NewGuid().ToString("N");
        HttpAnswer? answer = null;
        await Eventually.HoldsAsync(
            async () => !IsUnconfirmed(answer = await PublishOnceAsync(api, room, json, key)),
            "the API knows whether it has published",
            () => $"{answer?.Body}\n{api.Log}");
        Assert.True(answer!.Status == HttpStatusCode.Accepted, $"{(int)answer.Status} {answer.Body}\n{api.Log}");
        return answer.JsonBody;
    }

    private static bool IsUnconfirmed(HttpAnswer answer) =>
        answer.Status == HttpStatusCode.ServiceUnavailable && answer.MediaType == Problem
        && answer.JsonBody.GetProperty("type").GetString() == "/problems/not-confirmed";

    private static async Task<HttpAnswer> PublishOnceAsync(ProgramProcess api, string room, string json, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{api.ApiUrl}/v1/rooms/{Uri.EscapeDataString(room)}/messages"))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)),
        };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(Json);
        request.Headers.Add("Idempotency-Key", key);
        return await SendAsync(request);
    }

    private static async Task<HttpAnswer> GetOnceAsync(int port, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}{path}"));
        return await SendAsync(request);
    }
}
