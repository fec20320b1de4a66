using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using TestSupport.Processes;

namespace TestSupport.Npm;

/// <summary>
/// A node program that takes a JSON value per line of its standard input and tells one per line of its standard output. It ends when its
/// input does. For one caller at a time.
/// </summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(10);

    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Process _process;

    /// <summary>Starts the program.</summary>
    /// <param name="folder">Has the script and its node_modules.</param>
    /// <param name="arguments">The script and its arguments.</param>
    public NodeProcess(string folder, params string[] arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(InstalledProgram.Find("node"), arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Writes a line.</summary>
    public async Task SendAsync(string json)
    {
        await _process.StandardInput.WriteLineAsync(json);
        await _process.StandardInput.FlushAsync(CancellationToken.None);
    }

    /// <summary>The next line.</summary>
    /// <param name="description">What is waited for, for the exception's message.</param>
    public async Task<JsonElement> NextAsync(string description)
    {
        try
        {
            var line = await Eventually.CompletesAsync(_lines.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask(), description, Errors);
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 128 });
            return document.RootElement.Clone();
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException($"The node program ended instead of telling {description}: {Errors()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using (var patience = new CancellationTokenSource(ExitPatience))
        {
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Expected of a program that hangs, as it may in a failed test.
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
    }

    private string Errors() => string.Join('\n', _errors);

    private void Take(string? line)
    {
        if (line is null)
            _lines.Writer.TryComplete();
        else
            _lines.Writer.TryWrite(line);
    }
}
