using System.Text;
using PushNode.Tests.Access;
using TestSupport.Clients;

namespace PushNode.Tests.Endpoints;

/// <summary>Handshakes as clients and proxies send them, most of them changed in places where servers differ.</summary>
internal sealed class RandomHandshakes(int seed)
{
    private static readonly string Alice = TestTokens.Make("""{"exp":4000000000,"sub":"alice","join":["a"]}""");
    private static readonly string Old = TestTokens.Make("""{"exp":1000000000,"sub":"alice","join":["a"]}""");

    /// <summary>Chromium, Firefox, nginx in front of a browser, .NET, Node's ws, and the least that is valid.</summary>
    private static readonly string[][] Clients =
    [
        [
            "Host: example.com:7777", "Connection: Upgrade", "Pragma: no-cache", "Cache-Control: no-cache", "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0.0.0",
            "Upgrade: websocket", "Origin: https://example.com", "Sec-WebSocket-Version: 13", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-US,en;q=0.9",
            "Cookie: a=1; b=2", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        ],
        [
            "Host: localhost", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Accept: */*", "Accept-Language: en", "Sec-WebSocket-Version: 13",
            "Origin: https://example.com", "Sec-WebSocket-Protocol: push.msgpack, push.json", "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==", "Connection: keep-alive, Upgrade", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: websocket", "Upgrade: websocket",
        ],
        [
            "Upgrade: websocket", "Connection: upgrade", "Host: push.example.com", "X-Real-IP: 192.0.2.1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
            "sec-websocket-version: 13", "sec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA==", "origin: https://example.com", "sec-websocket-protocol: push.json",
        ],
        [
            "Host: 127.0.0.1:7777", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==", "Sec-WebSocket-Version: 13",
            $"Authorization: Bearer {Alice}",
        ],
        [
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "Host: node-1.internal",
        ],
        ["Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    ];

    private static readonly string[] Targets =
    [
        "/ws", "/connect", "/ws?room=a", "/ws?room=a&room=b", "/connect?room=a&room=a", "/ws?room=%41%20b", "/ws?room=", "/ws?room=x%zz", "/ws?since=1&room=a", "/ws?room=a&last=3",
        "/ws?room=a&room=b&room=c&room=d&room=e&room=f", $"/ws?room=a&token={Alice}", $"/ws?room=a&token={Old}", $"/ws?token={Alice}&token={Old}", "/ws?token=",
        "/ws?", "/ws?a=\"<>\\^`{|}~", "/ws#room", "/ws?room=a#b", "/ws/", "/WS?room=a", "/%77s", "/ws%3Froom=a", "//ws", "/./ws", "/other", "/", "*", "http://example.com/ws?room=a",
        "example.com:80", "ws", "/ws?room=a b", "/ws?room=\u00e9", "/sse2", $"/ws?room=a&x={new string('x', 3000)}", $"/ws?x={new string('y', 9000)}",
    ];

    private static readonly string[] RequestLines =
    [
        "POST {0} HTTP/1.1", "HEAD {0} HTTP/1.1", "get {0} HTTP/1.1", "GETT {0} HTTP/1.1", "GET  {0} HTTP/1.1", "GET {0}  HTTP/1.1", "GET {0} HTTP/1.0", "GET {0} HTTP/1.2", "GET {0} http/1.1",
        "GET {0} HTTP/2.0", "GET {0}", " GET {0} HTTP/1.1", "GET\t{0} HTTP/1.1",
    ];

    private static readonly string[] Headers =
    [
        "Connection: close, Upgrade", "Connection: Upgrade, keep-alive", "Connection: keep-alive", "Connection: upgrade,keep-alive", "Connection: x, upgrade", "Connection: Upgrade,", "Connection:",
        "Upgrade: WebSocket", "Upgrade: websocket, h2c", "Upgrade: h2c", "Upgrade: websocket/13", "Upgrade:", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 013", "Sec-WebSocket-Version: 13, 8",
        "Sec-WebSocket-Key: short", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==", "Sec-WebSocket-Key: !AAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Key: AAAAAAAAAAA AAAAAAAAAA==", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA", "Sec-WebSocket-Extensions: permessage-deflate;;", "Sec-WebSocket-Extensions: x, permessage-deflate; server_max_window_bits=15",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10, permessage-deflate", "Sec-WebSocket-Extensions: ,", "Sec-WebSocket-Protocol: PUSH.JSON", "Sec-WebSocket-Protocol: push.msgpack",
        "Sec-WebSocket-Protocol: , push.json", "Origin: https://other.example", "Origin: null", "Origin: HTTPS://EXAMPLE.COM", "Origin:", "Host:", "Host: x y", "Host: x/", "Host: [::1]:80", "Host: x:99999",
        "Host: x:", "Host: :80", "Host: \u00e9", "Host: a_b", "Authorization: Basic YTpi", $"Authorization: bearer {Old}", "Authorization: Bearer", "Content-Length: 0", "Transfer-Encoding: identity",
        "Expect: 100-continue", "Trailer: x", "X-Forwarded-For: 192.0.2.1, 192.0.2.2", "Forwarded: for=192.0.2.1", "Last-Event-ID: x", "X-Empty:", "X-Odd: \u00e9", "X-Tab: a\tb", "X-Bell: \a", "X-Nul: \0",
        "X Space: 1", "X@: 1", ": 1", "NoColon", " folded: 1", "\tfolded", "X-Long: {long}",
    ];

    private static readonly string[] Colons = [":", ":  ", ":\t", " : ", ": \t "];

    private static readonly string[] Ends = ["", " ", "\t"];

    private readonly Random _random = new(seed);

    /// <summary>The next request.</summary>
    public RandomHandshake Next()
    {
        var headers = Clients[_random.Next(Clients.Length)].ToList();
        var target = Targets[_random.Next(_random.Next(3) > 0 ? 15 : Targets.Length)];
        var line = $"GET {target} HTTP/1.1";
        if (_random.Next(12) == 0)
            line = string.Format(System.Globalization.CultureInfo.InvariantCulture, RequestLines[_random.Next(RequestLines.Length)], target);
        // Half of them as the client sends it.
        for (var changes = _random.Next(2) == 0 ? 0 : _random.Next(1, 4); changes > 0; changes--)
            Change(headers);

        var end = _random.Next(60) == 0 ? "\n" : "\r\n";
        var head = Encoding.UTF8.GetBytes(string.Join(end, [line, .. headers, end]).Replace("{long}", new string('l', _random.Next(6000, 12000)), StringComparison.Ordinal));
        var behind = _random.Next(12) switch
        {
            0 => ClientFrame.Text("""{"type":"PING","id":1}"""),
            1 => Encoding.ASCII.GetBytes("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n"),
            2 => [0, 0],
            _ => [],
        };
        return new((byte[])[.. head, .. behind], Cuts(head.Length + behind.Length));
    }

    private void Change(List<string> headers)
    {
        var at = _random.Next(headers.Count);
        var other = Headers[_random.Next(Headers.Length)];
        switch (_random.Next(8))
        {
            case 0:
                headers.Sort((_, _) => 0);
                _random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(headers));
                break;
            case 1:
                headers[at] = string.Concat(headers[at].Select(c => _random.Next(2) == 0 ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c)));
                break;
            case 2:
                headers[at] = headers[at].Replace(": ", Colons[_random.Next(Colons.Length)], StringComparison.Ordinal) + Ends[_random.Next(Ends.Length)];
                break;
            case 3:
                headers.Insert(_random.Next(headers.Count + 1), headers[at]);
                break;
            case 4:
                headers.RemoveAt(at);
                break;
            case 5:
                headers.Insert(at, other);
                break;
            default:
                // In place of the one that the client sends.
                headers.RemoveAll(header => header.StartsWith(other.Split(':')[0] + ":", StringComparison.OrdinalIgnoreCase));
                headers.Insert(_random.Next(headers.Count + 1), other);
                break;
        }
    }

    /// <summary>Where the bytes are cut into parts that are sent one after another; mostly nowhere.</summary>
    private int[] Cuts(int length) => _random.Next(5) > 0 ? [length] : [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(1, length)).Append(length).Distinct().Order()];
}

/// <param name="Bytes">All of it.</param>
/// <param name="Ends">The ends of the parts in which it is sent.</param>
internal sealed record RandomHandshake(byte[] Bytes, int[] Ends);
