using System.Diagnostics;

namespace TestSupport.Processes;

/// <summary>A program of this repository, with its output kept.</summary>
public static class BuiltProgram
{
    /// <summary>Starts it with its output kept; the caller kills it.</summary>
    /// <param name="path">"src/PushLoad".</param>
    /// <param name="settings">Environment variables.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="output">Gets both of its streams.</param>
    public static Process Start(string path, IEnumerable<(string Key, string Value)> settings, IEnumerable<string> arguments, ProgramOutput output)
    {
        var info = new ProcessStartInfo("dotnet", [Repository.Built(path), .. arguments]) { WorkingDirectory = Path.GetTempPath() };
        foreach (var (key, value) in settings)
            info.Environment[key] = value;
        var process = new Process { StartInfo = info };
        ProgramOutput.Start(process, output, output);
        return process;
    }
}
