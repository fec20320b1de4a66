using System.Diagnostics;
using System.Text;

namespace TestSupport.Processes;

/// <summary>What a process has written so far, to one of its streams or to both. Any thread.</summary>
public sealed class ProgramOutput
{
    private readonly StringBuilder _text = new();

    /// <summary>Starts a process and keeps both of its streams.</summary>
    /// <param name="process">Not started yet.</param>
    /// <param name="output">Gets standard output.</param>
    /// <param name="errors">Gets standard error; may be the same.</param>
    public static void Start(Process process, ProgramOutput output, ProgramOutput errors)
    {
        process.StartInfo.RedirectStandardOutput = process.StartInfo.RedirectStandardError = true;
        process.OutputDataReceived += (_, line) => output.Append(line.Data);
        process.ErrorDataReceived += (_, line) => errors.Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public override string ToString()
    {
        lock (_text)
            return _text.ToString();
    }

    /// <param name="line">Null at the end of a stream.</param>
    private void Append(string? line)
    {
        lock (_text)
        {
            if (line is not null)
                _text.AppendLine(line);
        }
    }
}
