using Microsoft.AspNetCore.Builder;

namespace PushHosting;

/// <summary>What the Main of every program of the farm is.</summary>
public static class PushProgram
{
    /// <summary>
    /// Builds, runs and awaits the application. What an operator can put right (a wrong setting, an address in use) ends as one sentence on
    /// standard error and exit code 1, without a stack trace.
    /// </summary>
    /// <param name="create">Builds the application; may throw <see cref="SettingsException"/>.</param>
    /// <param name="started">Called once the application serves, for example to print its addresses.</param>
    /// <returns>The exit code: 0 after an orderly stop.</returns>
    public static Task<int> RunAsync(Func<WebApplication> create, Action<WebApplication>? started = null) => throw new NotImplementedException();

    /// <summary>Gives the application an address for when neither <c>urls</c> nor another ASP.NET setting names one.</summary>
    public static WebApplicationBuilder UseDefaultUrl(this WebApplicationBuilder builder, string url) => throw new NotImplementedException();

    /// <summary>What a process calls itself when no setting names it: <c>host:port</c>, the port being that of its first address.</summary>
    public static string DefaultName(WebApplicationBuilder builder) => throw new NotImplementedException();
}
