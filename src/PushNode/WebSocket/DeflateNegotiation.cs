using System.Globalization;

namespace PushNode.WebSocket;

/// <summary>
/// Chooses among a client's offers of permessage-deflate (RFC 7692, 7.1). The node never keeps a window between messages, so that all
/// clients can get the same bytes, and its deflater always has a window of 32 KB. Stateless; any thread.
/// </summary>
internal static class DeflateNegotiation
{
    private const string Extension = "permessage-deflate";
    private const string Answer = $"{Extension}; server_no_context_takeover; client_no_context_takeover";

    /// <summary>The answer to an offer that names a window; others must not get it (RFC 7692, 7.1.2.1).</summary>
    private const string AnswerWithWindow = $"{Answer}; server_max_window_bits=15";

    /// <summary>Reads the handshake's offers.</summary>
    /// <param name="headers">All values of Sec-WebSocket-Extensions.</param>
    /// <param name="answer">The same header of the answer, for the first offer that the node can meet; null if there is none.</param>
    /// <returns>False if the header is malformed, upon which the handshake must fail (RFC 6455, 9.1).</returns>
    public static bool TryChoose(IReadOnlyList<string?> headers, out string? answer)
    {
        answer = null;
        foreach (var header in headers)
        {
            var reader = new ExtensionReader(header);
            while (reader.TryReadExtension())
            {
                var isDeflate = reader.Name.SequenceEqual(Extension);
                // Reads the parameters in any case: what follows them may be malformed.
                var chosen = ReadOffer(ref reader);
                if (isDeflate)
                    answer ??= chosen;
            }

            if (reader.IsMalformed)
            {
                answer = null;
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads an offer's parameters. Each may come once; an unknown one declines the offer (RFC 7692, 7.1).</summary>
    private static string? ReadOffer(ref ExtensionReader reader)
    {
        var isAccepted = true;
        var seen = Parameters.None;
        while (reader.TryReadParameter())
        {
            var parameter = reader.Name switch
            {
                "server_no_context_takeover" when reader.Value is null => Parameters.ServerNoTakeover,
                "client_no_context_takeover" when reader.Value is null => Parameters.ClientNoTakeover,
                "server_max_window_bits" when WindowBits(reader.Value) == 15 => Parameters.ServerWindow,
                "client_max_window_bits" when reader.Value is null || WindowBits(reader.Value) is not null => Parameters.ClientWindow,
                _ => Parameters.None,
            };
            isAccepted &= parameter != Parameters.None && !seen.HasFlag(parameter);
            seen |= parameter;
        }

        if (!isAccepted)
            return null;
        return seen.HasFlag(Parameters.ServerWindow) ? AnswerWithWindow : Answer;
    }

    /// <summary>A number from 8 to 15 without leading zeros (RFC 7692, 7.1.2); null for anything else.</summary>
    private static int? WindowBits(string? value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits is >= 8 and <= 15 && value[0] != '0' ? bits : null;

    [Flags]
    private enum Parameters
    {
        None = 0,
        ServerNoTakeover = 1,
        ClientNoTakeover = 2,
        ServerWindow = 4,
        ClientWindow = 8,
    }
}
