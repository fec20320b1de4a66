using System.CommandLine;
using PushLoad.CommandLine;
using PushLoad.Plans;
using PushLoad.Processes;
using PushLoad.Reports;
using Spectre.Console;

namespace PushLoad;

/// <summary>The load generator: the main process, or one of the workers that it starts.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is [WorkerProcess.Argument])
        {
            // Ctrl+C reaches the whole process group; only the main process acts on it.
            Console.CancelKeyPress += (_, key) => key.Cancel = true;
            // Console.In blocks the caller even in ReadLineAsync.
            using var input = new StreamReader(Console.OpenStandardInput());
            await WorkerProgram.RunAsync(input, Console.Out);
            return (int)ExitCode.Passed;
        }

        // After Ctrl+C the run still drains and reports its verdict, so the command must not be cut off.
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = Timeout.InfiniteTimeSpan };
        return await new LoadCommand().Create(RunAsync).Parse(args).InvokeAsync(configuration);
    }

    private static async Task<int> RunAsync(LoadPlan plan, Outputs outputs, CancellationToken interrupt)
    {
        if (PlanProblem.Of(plan) is { } problem)
        {
            await Console.Error.WriteLineAsync(problem);
            return (int)ExitCode.Usage;
        }

        var screen = new Screen(AnsiConsole.Console);
        try
        {
            var result = await screen.ShowAsync(async progress =>
            {
                await using var run = new LoadRun(plan, progress, interrupt);
                return await run.RunAsync();
            });
            screen.Show(result);
            if (outputs.Json is { } json)
                await File.WriteAllTextAsync(json.FullName, ResultJson.Text(result), CancellationToken.None);
            if (outputs.Html is { } html)
                await File.WriteAllTextAsync(html.FullName, HtmlPage.Text(result), CancellationToken.None);
            return (int)result.Verdict.ExitCode;
        }
        catch (RunFailedException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return (int)ExitCode.NotCarriedOut;
        }
    }
}
