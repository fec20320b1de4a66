using System.Net;
using System.Net.Sockets;

namespace TestSupport.Processes;

/// <summary>Picks loopback ports for the programs under test. Any thread; test projects that run side by side never get the same port.</summary>
public static class FreePort
{
    // Below the range from which Linux takes ports for outgoing connections (32768 up): the thousands of clients here must not be
    // given the port of a program that is just being restarted. And below those that bench/ and tests/Faults take, without a lock.
    private const int First = 10000;
    private const int End = 20000;

    private static readonly string Directory =
        System.IO.Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"redispush-test-ports-{Environment.UserName}")).FullName;

    // An open file is a lock that ends with the process.
    private static readonly Dictionary<int, FileStream> Taken = [];

    /// <summary>A port that is free and that no other call returned, in this process or in another one that still runs.</summary>
    public static int Next()
    {
        lock (Taken)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, End);
                if (!Taken.ContainsKey(port) && TryLock(port) is { } file)
                {
                    Taken.Add(port, file);
                    if (CanBind(port))
                        return port;
                }
            }
        }
    }

    private static FileStream? TryLock(int port)
    {
        try
        {
            return new FileStream(Path.Combine(Directory, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            return null; // Expected: another test process has it.
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
            return false; // Expected: a program has it.
        }
    }
}
