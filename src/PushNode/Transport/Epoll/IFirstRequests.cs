using System.Net;
using Microsoft.AspNetCore.Connections;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Answers the first requests of connections on the loops that read them, where it can; the others go to Kestrel. Lives as long as the node; the
/// loops' threads.
/// </summary>
internal interface IFirstRequests
{
    /// <summary>Counts a connection that has just been accepted.</summary>
    /// <param name="cut">Ends the connection without an answer. May be called by any thread at any time, also when the place was given back.</param>
    /// <returns>Its place, to be given back when it is open or gone; null if there is none, and it must be closed.</returns>
    IDisposable? Arrive(Action cut);

    /// <summary>Answers a request. Neither waits nor refuses: what it cannot answer with 101 now is Kestrel's, as if nobody had looked at it.</summary>
    /// <param name="request">All bytes that the client has sent so far.</param>
    /// <param name="remote">The client's address.</param>
    /// <param name="greeting">Gives the socket, once the answer is certain.</param>
    /// <returns>False if the request is for Kestrel.</returns>
    bool TryAnswer(ReadOnlySpan<byte> request, IPEndPoint? remote, Greeting greeting);

    /// <summary>Kestrel gets the connection, which keeps its place.</summary>
    void HandOver(IDisposable place, ConnectionContext connection);
}
