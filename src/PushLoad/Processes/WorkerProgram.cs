using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using PushLoad.Connections;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Verification;

namespace PushLoad.Processes;

/// <summary>
/// A worker process: reads its plan, then commands, one per line, and writes reports to its output. It ends when its input ends, so no
/// worker outlives the main process.
/// </summary>
internal static class WorkerProgram
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(0.5);

    public static async Task RunAsync(TextReader input, TextWriter output)
    {
        var plan = JsonSerializer.Deserialize(await input.ReadLineAsync() ?? "null", WorkerPipe.Default.WorkerPlan)
            ?? throw new InvalidDataException("The first line to a worker must be its plan.");
        var addresses = plan.Targets.Distinct().Select(target => new Uri(target)).ToDictionary(target => target, AddressOf);
        var loops = Enumerable.Range(0, plan.Threads).Select(thread => new LoadLoop(plan, [.. Numbers(plan, thread)], addresses)).ToList();
        var threads = loops.ConvertAll(loop => new Thread(loop.Run) { Name = "load loop", IsBackground = true });
        threads.ForEach(thread => thread.Start());

        var commands = ObeyAsync(input, loops);
        var finished = Task.WhenAll(loops.Select(loop => loop.Finished));
        while (!finished.IsCompleted && !commands.IsCompleted)
        {
            await output.WriteLineAsync(Line([.. loops.Select(loop => loop.Latest)]));
            await output.FlushAsync();
            await Task.WhenAny(Task.Delay(ReportEvery), finished, commands);
        }

        if (finished.IsCompleted)
        {
            await output.WriteLineAsync(Line(await finished));
            await output.FlushAsync();
        }

        loops.ForEach(loop => loop.Stop());
        threads.ForEach(thread => thread.Join());
        loops.ForEach(loop => loop.Dispose());
    }

    /// <summary>Ends when the input ends.</summary>
    private static async Task ObeyAsync(TextReader input, List<LoadLoop> loops)
    {
        while (await input.ReadLineAsync() is { } line)
        {
            var command = JsonSerializer.Deserialize(line, WorkerPipe.Default.WorkerCommand)!;
            foreach (var loop in loops)
                loop.Post(() => Obey(loop, command));
        }
    }

    private static void Obey(LoadLoop loop, WorkerCommand command)
    {
        if (command.Step == WorkerStep.Begin)
            loop.Begin();
        else if (command.Step == WorkerStep.Settle)
            loop.Settle();
        else
            loop.Finish(command.Expectations, command.Sent, command.PatienceMicroseconds);
    }

    private static IEnumerable<int> Numbers(WorkerPlan plan, int thread) =>
        Enumerable.Range(plan.FirstConnection, plan.Connections).Where(number => number % plan.Threads == thread);

    private static IPEndPoint AddressOf(Uri target)
    {
        var addresses = Dns.GetHostAddresses(target.DnsSafeHost);
        return new IPEndPoint(Array.Find(addresses, address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0], target.Port);
    }

    private static string Line(IReadOnlyCollection<LoopReport> reports)
    {
        var report = new WorkerReport(
            Tally.Sum(reports.Select(loop => loop.Tally)),
            Pairs(reports, loop => loop.Latency),
            reports.All(loop => loop.AllConnected),
            Environment.CpuUsage.TotalTime.TotalSeconds);
        if (reports.All(loop => loop.Sent is not null))
            report = report with { Sent = SendTotal.Sum([.. reports.Select(loop => loop.Sent!)]) };
        if (reports.All(loop => loop.Sequences is not null))
        {
            report = report with
            {
                Sequences = SequenceResult.Sum(reports.Select(loop => loop.Sequences!)),
                Completion = Pairs(reports, loop => loop.Completion),
                LongestGaps = Pairs(reports, loop => loop.LongestGaps),
                LongestSilences = Pairs(reports, loop => loop.LongestSilences),
                Absences = Pairs(reports, loop => loop.Absences),
                SendLatency = Pairs(reports, loop => loop.SendLatency),
                SentAfter = Pairs(reports, loop => loop.SentAfter),
                Resumed = Pairs(reports, loop => loop.Resumed),
                Bursts = Bursts.Sum(reports.SelectMany(loop => loop.Bursts)),
            };
        }

        return JsonSerializer.Serialize(report, WorkerPipe.Default.WorkerReport);
    }

    private static long[] Pairs(IEnumerable<LoopReport> reports, Func<LoopReport, Histogram> which)
    {
        var sum = new Histogram();
        foreach (var report in reports)
            sum.Add(which(report));
        return sum.ToPairs();
    }
}
