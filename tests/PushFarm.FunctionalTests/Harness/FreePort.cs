using System.Net;
using System.Net.Sockets;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Picks loopback ports for the programs under test.</summary>
internal static class FreePort
{
    // Below the range from which Linux takes ports for outgoing connections (32768 up): the thousands of clients here must not be
    // given the port of a program that is just being restarted.
    private const int First = 15000;
    private const int End = 32000;

    private static readonly HashSet<int> Given = [];

    /// <summary>A port nobody listens on and that was not given out before.</summary>
    public static int Next()
    {
        lock (Given)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, End);
                if (!Given.Contains(port) && CanBind(port))
                {
                    Given.Add(port);
                    return port;
                }
            }
        }
    }

    private static bool CanBind(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false; // Expected: somebody else has it.
        }
    }
}
