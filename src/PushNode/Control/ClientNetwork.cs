using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using PushHosting.Network;

namespace PushNode.Control;

/// <summary>
/// Whom a limit for each address counts together: one IPv4 address, or one IPv6 network of 64 bits, from which a single client can choose
/// its addresses. Clients without an address (a Unix socket's) are together.
/// </summary>
internal readonly struct ClientNetwork : IEquatable<ClientNetwork>
{
    private readonly ulong _bits;
    private readonly AddressFamily _family;

    private ClientNetwork(ulong bits, AddressFamily family) => (_bits, _family) = (bits, family);

    public static ClientNetwork Of(IPAddress? address)
    {
        if (address is null)
            return default;
        Span<byte> bytes = stackalloc byte[16];
        var plain = ClientAddress.Plain(address);
        plain.TryWriteBytes(bytes, out _);
        return plain.AddressFamily == AddressFamily.InterNetwork
            ? new ClientNetwork(BinaryPrimitives.ReadUInt32BigEndian(bytes), AddressFamily.InterNetwork)
            : new ClientNetwork(BinaryPrimitives.ReadUInt64BigEndian(bytes), AddressFamily.InterNetworkV6);
    }

    public bool Equals(ClientNetwork other) => _bits == other._bits && _family == other._family;

    public override bool Equals(object? obj) => obj is ClientNetwork other && Equals(other);

    /// <summary>With a seed of this process: somebody with many networks must not choose those that share a bucket.</summary>
    public override int GetHashCode() => HashCode.Combine(_bits, _family);

    /// <summary>As an operator writes it: <c>192.0.2.1</c>, <c>2001:db8:0:1::/64</c>.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        switch (_family)
        {
            case AddressFamily.InterNetwork:
                BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)_bits);
                return new IPAddress(bytes[..4]).ToString();
            case AddressFamily.InterNetworkV6:
                BinaryPrimitives.WriteUInt64BigEndian(bytes, _bits);
                return $"{new IPAddress(bytes)}/64";
            default:
                return "no address";
        }
    }
}
