using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Connections</c>.</summary>
internal sealed class ConnectionSettings : ICheckedSettings
{
    /// <summary>The maximum number of connections; further upgrades get 503, so that a proxy can try the next node.</summary>
    [Number(1, 10_000_000)]
    public int Max { get; set; } = 100_000;

    /// <summary>Connections of one user to this node; 0 for any number. Off, because nodes of today count only connections.</summary>
    [Number(0, 10_000_000)]
    public int MaxPerUser { get; set; }

    /// <summary>
    /// Connections of one address (an IPv4 address, or an IPv6 network of 64 bits); 0 for any number, because offices and mobile networks
    /// share addresses, and behind a proxy that is not trusted all clients have one.
    /// </summary>
    [Number(0, 10_000_000)]
    public int MaxPerAddress { get; set; }

    /// <summary>Handshakes per second of all clients in the long run; 0 for any number.</summary>
    [Number(0, 1_000_000)]
    public int HandshakesPerSecond { get; set; }

    /// <summary>Handshakes at once after a pause; 0 means as many as in a second, so that a pause of the process costs no client.</summary>
    [Number(0, 10_000_000)]
    public int HandshakeBurst { get; set; }

    /// <summary><see cref="HandshakeBurst"/>, or its default.</summary>
    public int HandshakesAtOnce => HandshakeBurst > 0 ? HandshakeBurst : HandshakesPerSecond;

    /// <summary>Handshakes per second of one address in the long run; 0 for any number.</summary>
    [Number(0, 100_000)]
    public int HandshakesPerSecondPerAddress { get; set; }

    /// <summary>
    /// Handshakes of one address at once after a pause; 0 means as many as in ten seconds, so that a family or a small office that comes
    /// back at once is let in.
    /// </summary>
    [Number(0, 1_000_000)]
    public int HandshakeBurstPerAddress { get; set; }

    /// <summary><see cref="HandshakeBurstPerAddress"/>, or its default.</summary>
    public int HandshakesAtOncePerAddress => HandshakeBurstPerAddress > 0 ? HandshakeBurstPerAddress : 10 * HandshakesPerSecondPerAddress;

    /// <summary>Rooms one connection may be in. go-push's default.</summary>
    [Number(1, 1000)]
    public int MaxRooms { get; set; } = 5;

    /// <summary>
    /// JOINs per second of one client in the long run, including those in the URL. Far above what a user who browses rooms needs. Without
    /// this limit, one client that kept joining new rooms caused 8,900 SUBSCRIBEs a second and kept 0.83 of a core busy.
    /// </summary>
    [Number(1, 100_000)]
    public int JoinsPerSecond { get; set; } = 10;

    /// <summary>JOINs that one client may send at once after a pause.</summary>
    [Number(1, 100_000)]
    public int JoinBurst { get; set; } = 100;

    /// <summary>Bytes of one client message, all its fragments added up.</summary>
    [Number(512, 1_048_576)]
    public int MaxMessageBytes { get; set; } = 4096;

    /// <summary>
    /// The kernel's send buffer of one connection, which Linux doubles for its bookkeeping. Without this limit it grows to 4 MB for a
    /// client that does not read: minutes of stale frames, in memory that no other limit covers.
    /// </summary>
    [Number(4_096, 16_777_216)]
    public int SendBufferBytes { get; set; } = 128 * 1024;

    /// <summary>
    /// Unsent bytes in the kernel for one connection. Without this limit, the send buffer of a slow client is full of stale frames that the
    /// outbox's policy never sees. Bytes in flight do not count, so a distant but fast client loses nothing. Linux only.
    /// </summary>
    [Number(1_024, 16_777_216)]
    public int MaxUnsentBytes { get; set; } = 16 * 1024;

    /// <summary>
    /// Frames per second that a client may send in the long run: messages, fragments, pings and pongs. An ordinary client sends one every
    /// few seconds; a page that joins and leaves rooms while its user scrolls sends a few per second.
    /// </summary>
    [Number(1, 1_000_000)]
    public int MessagesPerSecond { get; set; } = 50;

    /// <summary>
    /// Frames that a client may send at once after a pause. Frames above this are rejected; twice as many close the connection.
    /// </summary>
    [Number(1, 1_000_000)]
    public int MessageBurst { get; set; } = 500;

    /// <summary>
    /// Connections that are not open yet; 0 means a tenth of <see cref="Max"/>, at least 100. A handshake takes milliseconds, so a
    /// tenth of all clients at once is more than the worst storm of reconnects needs. It also limits the descriptors and memory of clients
    /// that connect and request nothing to those of a tenth of the clients.
    /// </summary>
    [Number(0, 10_000_000)]
    public int MaxHandshakes { get; set; }

    /// <summary><see cref="MaxHandshakes"/>, or its default.</summary>
    public int HandshakesAllowed => MaxHandshakes > 0 ? MaxHandshakes : Math.Max(100, Max / 10);

    /// <summary>
    /// Time from accept to the head of the answer, TLS included. Connections that are not open by then are cut, other HTTP included.
    /// </summary>
    [Duration("00:00:00.1", "00:05:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Handshakes with itself before the node says that it is ready; 0 for none. After 500 the runtime has compiled what is hot, and a handshake costs half as
    /// much.
    /// </summary>
    [Number(0, 100_000)]
    public int WarmUpHandshakes { get; set; } = 500;

    /// <summary>
    /// Whether other nodes on this machine may listen on the same address and port; the kernel spreads connections over them. Off, because a
    /// node that was started twice by mistake should say so.
    /// </summary>
    public bool SharePort { get; set; }

    /// <summary>
    /// Origins whose pages may connect, separated by semicolons; <c>*</c> allows all. Browsers always send one; requests without one are
    /// allowed.
    /// </summary>
    public string AllowedOrigins { get; set; } = "*";

    /// <summary>
    /// A client that has sent nothing for this long, or up to a fifth less (PingSpread), is pinged. Less than the 30 s after which many
    /// mobile carriers and proxies drop an idle connection.
    /// </summary>
    [Duration("00:00:00.1", "01:00:00")]
    public TimeSpan PingAfter { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>A client that has sent nothing for this long is closed.</summary>
    [Duration("00:00:00.2", "02:00:00")]
    public TimeSpan CloseAfter { get; set; } = TimeSpan.FromSeconds(75);

    /// <summary>
    /// A client of <c>/sse</c> or <c>/stream</c>, which cannot answer a ping, gets a heartbeat this often, or up to a fifth earlier: as often as
    /// the WHATWG advises, because some proxies drop a response that is quiet for 30 s.
    /// </summary>
    [Duration("00:00:00.1", "01:00:00")]
    public TimeSpan HeartbeatAfter { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The time between heartbeats: <see cref="HeartbeatAfter"/>, but at most half of <see cref="CloseAfter"/>, so that a client that is gone
    /// is found within that.
    /// </summary>
    public TimeSpan HeartbeatTime => HeartbeatAfter < CloseAfter / 2 ? HeartbeatAfter : CloseAfter / 2;

    /// <summary>How long a client may take to receive a close frame and echo it.</summary>
    [Duration("00:00:00.1", "00:01:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    public string? Problem(string section)
    {
        if (CloseAfter <= PingAfter)
            return $"{section}:CloseAfter is '{CloseAfter:c}'; it accepts a duration longer than {section}:PingAfter, which is {PingAfter:c}.";
        if (JoinBurst < MaxRooms)
            return $"{section}:JoinBurst is {JoinBurst}; it accepts at least {section}:MaxRooms, which is {MaxRooms}, "
                + "so that a client can join all its rooms at once.";
        return AllowList.OriginProblem($"{section}:AllowedOrigins", AllowedOrigins);
    }
}
