using System.Text.Json.Serialization;
using RedisPush.Client.Tests.Support;
using RedisPush.Publisher;
using TestSupport.Clients;
using TestSupport.Processes;

namespace RedisPush.Client.Tests;

/// <summary>The client and the publisher with a real farm.</summary>
public sealed partial class FarmTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    [Fact]
    public async Task Messages_arrive_in_order_with_their_exact_bytes()
    {
        var room = FarmFixture.NewRoom() + " 默认房间 ?#%&+😀";
        await using var client = Clients.Of(fixture.Url);
        await using var reading = new Reading(await client.JoinedAsync(room));
        string[] items = ["""{"n": 1.50, "text":"\u00e9 é"}""", "\"two\"", "[3, null]", "4"];
        await fixture.Publisher.PublishAsync(room, [.. items.Select(PushItem.Json)], TestContext.Current.CancellationToken);
        await fixture.Publisher.PublishAsync(room, new Chat("hi", 5), TestJson.Default.Chat, TestContext.Current.CancellationToken);
        foreach (var item in items)
            Assert.Equal(item, await reading.MessageAsync());
        var last = Assert.IsType<PushMessage>(await reading.NextAsync());
        Assert.Equal(new Chat("hi", 5), last.Deserialize(TestJson.Default.Chat));
        Assert.Equal("hi", last.ToElement().GetProperty("Text").GetString());
        Assert.Null(last.Position);
    }

    [Fact]
    public async Task Each_subscription_of_a_room_gets_every_message_and_the_last_one_leaves()
    {
        var room = FarmFixture.NewRoom();
        await using var client = Clients.Of(fixture.Url);
        var first = await client.JoinedAsync(room);
        await using var second = await client.JoinedAsync(room);
        await using (var one = new Reading(first))
        await using (var other = new Reading(second))
        {
            await fixture.Publisher.PublishAsync(room, PushItem.Text("a"), TestContext.Current.CancellationToken);
            Assert.Equal("\"a\"", await one.MessageAsync());
            Assert.Equal("\"a\"", await other.MessageAsync());
            await first.DisposeAsync();
            Assert.Null(await one.NextAsync());
            await fixture.Publisher.PublishAsync(room, PushItem.Text("b"), TestContext.Current.CancellationToken);
            Assert.Equal("\"b\"", await other.MessageAsync());
        }

        await second.DisposeAsync();
        // The answer to the JOIN comes after that to the LEAVE: what is published now is for the new subscription alone.
        await using var again = new Reading(await client.JoinedAsync(room));
        await fixture.Publisher.PublishAsync(room, PushItem.Text("c"), TestContext.Current.CancellationToken);
        Assert.Equal("\"c\"", await again.MessageAsync());
    }

    [Fact]
    public async Task A_broadcast_reaches_its_subscriptions_and_no_room()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        using var publisher = new HttpPublisher(new HttpPublisherOptions { Url = new Uri(farm.ApiUrl) });
        await using var client = Clients.Of(new Uri(farm.WebSocketUrl));
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal(new PublishResult(2, 1), await publisher.BroadcastAsync([PushItem.Text("to"), PushItem.Text("all")], TestContext.Current.CancellationToken));
        Assert.Equal("\"to\"", await broadcasts.MessageAsync());
        Assert.Equal("\"all\"", await broadcasts.MessageAsync());
        await publisher.PublishAsync("demo", PushItem.Text("room"), TestContext.Current.CancellationToken);
        Assert.Equal("\"room\"", await room.MessageAsync());
    }

    [Fact]
    public async Task A_hundred_rooms_on_one_connection_are_refused_but_for_five()
    {
        await using var client = Clients.Of(fixture.Url);
        var joins = Enumerable.Range(0, 100).Select(_ => client.JoinAsync(FarmFixture.NewRoom(), cancellationToken: TestContext.Current.CancellationToken)).ToList();
        await Eventually.CompletesAsync(Task.WhenAll(joins).ContinueWith(_ => { }, TaskScheduler.Default), "an answer to each JOIN");
        Assert.Equal(5, joins.Count(join => join.IsCompletedSuccessfully));
        foreach (var join in joins.Where(join => join.IsFaulted))
        {
            var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => join);
            Assert.Equal("room_limit", refused.Code);
            Assert.Contains($"'{refused.Room}'", refused.Message, StringComparison.Ordinal);
            Assert.Contains("leave one first", refused.Message, StringComparison.Ordinal);
        }

        // A place that is free again can be taken.
        await (await joins.First(join => join.IsCompletedSuccessfully)).DisposeAsync();
        await using var another = await client.JoinedAsync(FarmFixture.NewRoom());
        Assert.Equal(ConnectionState.Connected, client.State);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    public async Task A_name_that_no_server_accepts_is_an_argument_error(string room)
    {
        await using var client = Clients.Of(fixture.Url);
        var error = await Assert.ThrowsAsync<ArgumentException>(() => client.JoinAsync(room, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("1 to 128 bytes of UTF-8", error.Message, StringComparison.Ordinal);
        Assert.Equal(ConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task A_deflated_batch_arrives_as_it_was_published()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        using var publisher = new HttpPublisher(new HttpPublisherOptions { Url = new Uri(farm.ApiUrl) });
        await using var client = Clients.Of(new Uri(farm.WebSocketUrl), options => options.Compression = true);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        var texts = Enumerable.Range(0, 50).Select(n => $"the same words again and again, {n}").ToList();
        await publisher.PublishAsync("demo", [.. texts.Select(PushItem.Text)], TestContext.Current.CancellationToken);
        foreach (var text in texts)
            Assert.Equal($"\"{text}\"", await reading.MessageAsync());
        Assert.True((await Metrics.ScrapeAsync(farm))["push_deflate_output_bytes_total"] > 0);
    }

    [Fact]
    public async Task A_client_that_is_disposed_closes_in_order_and_ends_its_readers()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var client = Clients.Of(new Uri(farm.WebSocketUrl));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await client.DisposeAsync();
        Assert.Null(await room.NextAsync());
        Assert.Null(await broadcasts.NextAsync());
        Assert.Equal(ConnectionState.Disconnected, client.State);
        await Metrics.UntilAsync(farm, metrics => metrics["push_connections_closed_total{reason=\"client\"}"] == 1, "the client has closed");
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.JoinAsync("demo", cancellationToken: TestContext.Current.CancellationToken));
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_join_that_is_given_up_leaves_the_room()
    {
        await using var client = Clients.Of(new Uri($"ws://127.0.0.1:{FreePort.Next()}/ws"));
        var failed = client.WhenAsync(change => change.Reason is not null);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var joining = client.JoinAsync("demo", cancellationToken: patience.Token);
        await Eventually.CompletesAsync(failed, "a failed attempt");
        Assert.False(joining.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        Assert.Equal(ConnectionState.Connecting, client.State);
    }

    [Fact]
    public async Task A_reader_that_does_not_keep_up_gets_the_latest_and_a_gap()
    {
        await using var client = Clients.Of(fixture.Url, options => options.MaxBufferedEvents = 10);
        var name = FarmFixture.NewRoom();
        await using var slow = await client.JoinedAsync(name);
        await using var prompt = await client.JoinedAsync(name);
        // The farm is not what is slow: every message reaches the other subscription.
        await using var reading = new Reading(prompt);
        for (var n = 0; n < 100; n++)
        {
            await fixture.Publisher.PublishAsync(name, PushItem.Json($"{n}"), TestContext.Current.CancellationToken);
            if (n % 5 == 4)
            {
                for (var arrived = n - 4; arrived <= n; arrived++)
                    Assert.Equal($"{arrived}", await reading.MessageAsync());
            }
        }

        await using var late = new Reading(slow);
        Assert.Equal((90, GapReason.Reader), await late.GapAsync());
        for (var n = 90; n < 100; n++)
            Assert.Equal($"{n}", await late.MessageAsync());
    }

    [Fact]
    public async Task A_second_reader_at_the_same_time_is_refused()
    {
        await using var client = Clients.Of(fixture.Url);
        await using var room = await client.JoinedAsync(FarmFixture.NewRoom());
        var reading = room.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var waiting = reading.MoveNextAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await room.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken).MoveNextAsync());
        await room.DisposeAsync();
        Assert.False(await waiting);
        await reading.DisposeAsync();
    }

    internal sealed record Chat(string Text, int Number);

    [JsonSerializable(typeof(Chat))]
    internal sealed partial class TestJson : JsonSerializerContext;
}
