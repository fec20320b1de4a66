using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public class FormTests
{
    private const string Type = "application/x-www-form-urlencoded";

    [Fact]
    public async Task Unencoded_JSON_works_as_go_push_documents_it()
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/push/room", Type, "room=default&items=[{\"msg\": \"hi\"},{\"msg\": \"bye\"}]")).IsAccepted(2);
        (await api.PostAsync("/push/room", Type, "room=默认房间&items=[{\"msg\": \"你好\"}]")).IsAccepted(1);
        (await api.PostAsync("/push/all", Type, "items=[{\"msg\": \"hi\"}]")).IsAccepted(1);
        Assert.Equal(["{\"msg\": \"hi\"}", "{\"msg\": \"bye\"}"], api.Backplane.Texts("push:room:default"));
        Assert.Equal(["{\"msg\": \"你好\"}"], api.Backplane.Texts("push:room:默认房间"));
        Assert.Equal(["{\"msg\": \"hi\"}"], api.Backplane.Texts("push:all"));
    }

    [Fact]
    public async Task An_encoded_value_with_special_characters_arrives_byte_for_byte()
    {
        await using var api = await ApiHost.StartAsync();
        var message = "{\"a\":\"1 + 1 = 2 & 100% %41 é默\\u00e9\", \"b\" : [1.0] }";
        var form = $"items={Uri.EscapeDataString($"[{message},{message}]")}&room={Uri.EscapeDataString("a b+c&d%41")}";
        (await api.PostAsync("/push/room", Type, form)).IsAccepted(2);
        Assert.Equal([message, message], api.Backplane.Texts("push:room:a b+c&d%41"));

        // As a browser's form sends it, with a plus for a space.
        (await api.PostAsync("/push/all", Type + "; charset=\"UTF-8\"", "&" + form.Replace("%20", "+").Split('&')[0] + "&")).IsAccepted(2);
        Assert.Equal([message, message], api.Backplane.Texts("push:all"));
    }

    [Theory]
    [InlineData("/push/room", "room=a&items=[\"%FF\"]", "bad-body", "items")]
    [InlineData("/push/room", "room=%FF&items=[1]", "bad-room", "room")]
    [InlineData("/push/room", "room=&items=[1]", "bad-room", "room")]
    [InlineData("/push/room", "room=a%2Fb&items=[1]", "bad-room", "room")]
    [InlineData("/push/room", "room=a%00&items=[1]", "bad-room", "room")]
    [InlineData("/push/room", "room=a", "bad-body", "items")]
    [InlineData("/push/room", "items=[1]", "bad-body", "room")]
    [InlineData("/push/room", "room=a&room=b&items=[1]", "bad-body", "room")]
    [InlineData("/push/room", "room=a&items=[1]&items=[2]", "bad-body", "items")]
    [InlineData("/push/room", "room=a&items=[1]&x=1", "bad-body", null)]
    [InlineData("/push/room", "room=a&items=[1]&%FF=1", "bad-body", null)]
    [InlineData("/push/room", "room=a&items=[\"100%\"]", "bad-body", null)]
    [InlineData("/push/room", "room=a&items=[\"%4\"]", "bad-body", null)]
    [InlineData("/push/room", "room=a&items=[\"%zz\"]", "bad-body", null)]
    [InlineData("/push/room", "room=a&items=[\"x&y\"]", "bad-body", "items")]
    [InlineData("/push/room", "room=a&items={\"x\":1}", "bad-body", "items")]
    [InlineData("/push/room", "room=a&items=", "bad-body", "items")]
    [InlineData("/push/room", "room=a&items=[1] 2", "bad-body", "items")]
    [InlineData("/push/room", "room=a&items=[]", "no-messages", "items")]
    [InlineData("/push/all", "room=a&items=[1]", "bad-body", null)]
    [InlineData("/push/all", "&&", "bad-body", "items")]
    public async Task A_bad_form_is_refused(string route, string form, string kind, string? field)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(route, Type, form)).IsProblem(400, kind, field: field);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task Random_messages_survive_form_encoding()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var api = await ApiHost.StartAsync();
        const string Alphabet = "ab %+&=?#/;<>'é默\u007f\u2028";
        var sent = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            sent.Add($"\"{text}\"");

            // Characters that need no encoding are encoded at random.
            var encoded = new StringBuilder();
            foreach (var value in Encoding.UTF8.GetBytes($"[{sent[^1]}]"))
                encoded.Append(value is (byte)'%' or (byte)'&' or (byte)'+' || value >= 0x80 || random.Next(2) == 0 ? $"%{value:x2}" : ((char)value).ToString());
            (await api.PostAsync("/push/all", Type, "items=" + encoded)).IsAccepted(1);
        }
        Assert.Equal(sent, api.Backplane.Texts("push:all"));
    }
}
