namespace PushLoad.CommandLine;

/// <summary>The files to write; null is none.</summary>
internal sealed record Outputs(FileInfo? Json, FileInfo? Html);
