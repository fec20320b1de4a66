namespace TestSupport.Clients;

/// <summary>How a connection ended.</summary>
/// <param name="Code">Of the server's close frame; 1005 when it carried none, null when there was no close frame.</param>
/// <param name="Reason">Of the server's close frame.</param>
/// <param name="Error">Null after an orderly end of the stream.</param>
public sealed record ConnectionEnd(int? Code, string Reason, Exception? Error);
