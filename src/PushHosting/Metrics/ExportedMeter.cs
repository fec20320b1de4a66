namespace PushHosting;

/// <summary>The name of a meter whose instruments are exported.</summary>
internal sealed record ExportedMeter(string Name);
