using System.Text;
using PushLoad.Connections;

namespace PushLoad.Tests.Connections;

/// <summary>A server that does not grant what the command line demands: the run then tells why no connection is open.</summary>
public sealed class AnswerTests
{
    private const string Accepted = "Sec-WebSocket-Accept: haP0s3ra5UNXGJxIuA4P1JA4ms0=";
    private const string Deflate = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";

    [Theory]
    [InlineData(null)]
    [InlineData("deflate", Deflate)]
    [InlineData("deflate", "sec-websocket-extensions:permessage-deflate;client_no_context_takeover ; server_no_context_takeover")]
    [InlineData("deflate", Deflate + "; server_max_window_bits=10")]
    [InlineData("deflate msgpack", Deflate, "Sec-WebSocket-Protocol: push.msgpack")]
    public void An_answer_that_grants_everything_is_accepted(string? wanted, params string[] fields) => Assert.Null(SocketProblem(wanted, fields));

    [Theory]
    [InlineData("permessage-deflate declined", "deflate")]
    [InlineData("an extension that was not offered", "deflate", "Sec-WebSocket-Extensions: permessage-deflate")] // With context takeover.
    [InlineData("an extension that was not offered", "deflate", Deflate + "; client_max_window_bits=9")]
    [InlineData("an extension that was not offered", "deflate", Deflate + "; server_max_window_bits=16")]
    [InlineData("an extension that was not offered", "deflate", Deflate + "; server_no_context_takeover")]
    [InlineData("an extension that was not offered", "deflate", Deflate + ", x-other")]
    [InlineData("an extension that was not offered", "deflate", Deflate, Deflate)]
    [InlineData("push.msgpack declined", "msgpack")]
    [InlineData("push.msgpack declined", "msgpack", "Sec-WebSocket-Protocol: push.json")]
    public void An_answer_that_does_not_is_named(string problem, string wanted, params string[] fields) =>
        Assert.Equal($"handshake: {problem}", SocketProblem(wanted, fields));

    [Theory]
    [InlineData(null, true, "200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")]
    [InlineData(null, true, "200 OK", "content-type: text/event-stream;charset=utf-8", "transfer-encoding: chunked")]
    [InlineData(null, false, "200 OK", "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")]
    [InlineData("handshake: 503", false, "503 Service Unavailable")]
    [InlineData("handshake: not text/event-stream", true, "200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")]
    [InlineData("handshake: not application/x-ndjson", false, "200 OK", "Transfer-Encoding: chunked")]
    [InlineData("handshake: not chunked", false, "200 OK", "Content-Type: application/x-ndjson", "Content-Length: 100")]
    public void A_stream_is_chunked_and_of_the_right_type(string? problem, bool events, string status, params string[] fields) =>
        Assert.Equal(problem, HttpRequest.Problem(Head(status, fields), events));

    private static string? SocketProblem(string? wanted, string[] fields) => Handshake.Problem(
        Head("101 Switching Protocols", [Accepted, .. fields]), Wants(wanted, "msgpack"), Wants(wanted, "deflate"));

    private static bool Wants(string? wanted, string what) => wanted?.Contains(what, StringComparison.Ordinal) == true;

    private static byte[] Head(string status, string[] fields) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{string.Concat(fields.Select(field => $"{field}\r\n"))}\r\n");
}
