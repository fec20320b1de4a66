using System.Net;
using System.Text;
using System.Text.Json;
using Deployment.Tests.Harness;
using TestSupport.Clients;

namespace Deployment.Tests;

/// <summary>A user's devices, spread by nginx over three nodes.</summary>
public sealed class UserTests
{
    [Fact]
    public async Task One_user_s_devices_are_reached_and_banned_behind_nginx()
    {
        await using var farm = await NginxFarm.StartAsync(settings: ClientToken.Settings());
        var devices = new List<WsClient>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                devices.Add(await WsClient.ConnectAsync(farm.Nginx.Ports.Clients, $"/ws?room=r&token={Token("alice")}"));
                await devices[^1].NextAsync("JOINED");
            }

            JsonElement user = default;
            await Eventually.HoldsAsync(
                async () => (user = (await Http.GetAsync(farm.Api.ApiPort, "/v1/users/alice")).JsonBody).GetProperty("connections").GetInt32() == 4, "all are counted");
            await Eventually.HoldsAsync(async () => await farm.SubscribersAsync("push:user:alice") == user.GetProperty("nodes").GetInt32(), "their nodes are subscribed");
            var published = await Http.PostAsync(farm.Api.ApiPort, "/v1/users/alice/messages", Http.Json, """{"n":1}""");
            Assert.Equal(HttpStatusCode.Accepted, published.Status);
            foreach (var device in devices)
                Assert.Equal(["""{"n":1}"""], (await device.NextAsync("PUSH")).Items);

            using var ban = new HttpRequestMessage(HttpMethod.Put, $"http://127.0.0.1:{farm.Api.ApiPort}/v1/users/alice/ban")
            {
                Content = new StringContent("""{"seconds":600}""", Encoding.UTF8, Http.Json),
            };
            var banned = await Http.SendAsync(ban);
            Assert.Equal(HttpStatusCode.OK, banned.Status);
            devices.Add(await WsClient.ConnectAsync(farm.Nginx.Ports.Clients, $"/ws?room=r&token={Token("alice")}"));
            foreach (var device in devices)
                Assert.Equal(((int?)4003, "banned"), await EndAsync(device));
        }
        finally
        {
            foreach (var device in devices)
                await device.DisposeAsync();
        }
    }

    private static async Task<(int? Code, string Reason)> EndAsync(WsClient client)
    {
        var end = await client.EndAsync();
        return (end.Code, end.Reason);
    }

    private static string Token(string user) => ClientToken.Make($"\"sub\":\"{user}\",\"join\":[\"*\"]");
}
