using System.Net.Sockets;

namespace PushHosting;

/// <summary>Why a server could not listen, in an operator's words.</summary>
internal static class BindFailure
{
    /// <summary>The reason, as the rest of a sentence that begins with the address.</summary>
    public static string Reason(Exception exception)
    {
        var cause = exception.GetBaseException();
        return (cause as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "is already in use by another process",
            SocketError.AccessDenied => "needs rights that this process does not have",
            SocketError.AddressNotAvailable => "is not an address of this machine",
            _ => $"cannot be opened ({cause.Message.Split('\n')[0].Trim().TrimEnd('.')})",
        };
    }
}
