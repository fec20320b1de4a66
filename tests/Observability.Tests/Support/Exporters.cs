using TestSupport.Processes;

namespace Observability.Tests.Support;

/// <summary>An nginx, and Debian's exporters for it and for a Redis: what the jobs "nginx" and "redis" of prometheus.yml scrape.</summary>
internal sealed class Exporters : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redispush-nginx-");

    private Exporters(RedisProcess redis)
    {
        var (status, ofRedis, ofNginx) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        var config = Path.Combine(_directory.FullName, "nginx.conf");
        // The exporter reads /status of nginx/farm.conf.template, which is this.
        File.WriteAllText(config, $$"""
            daemon off;
            pid {{_directory.FullName}}/nginx.pid;
            worker_processes 1;
            events {}
            http {
                access_log off;
                server { listen 127.0.0.1:{{status}}; location = /status { stub_status; } }
            }
            """);
        Nginx = new BackgroundProgram(status, "/status", "nginx", "-e", "stderr", "-c", config);
        OfNginx = new BackgroundProgram(ofNginx, "/metrics", "prometheus-nginx-exporter", "-nginx.scrape-uri", $"http://127.0.0.1:{status}/status", "-web.listen-address", $"127.0.0.1:{ofNginx}");
        OfRedis = new BackgroundProgram(ofRedis, "/metrics", "prometheus-redis-exporter", "-redis.addr", $"redis://{redis.EndPoint}", "-web.listen-address", $"127.0.0.1:{ofRedis}");
    }

    public BackgroundProgram Nginx { get; }

    public BackgroundProgram OfNginx { get; }

    public BackgroundProgram OfRedis { get; }

    /// <summary>As <see cref="PrometheusServer"/> wants them.</summary>
    public (string Job, int[] Ports)[] Targets => [("redis", [OfRedis.Port]), ("nginx", [OfNginx.Port])];

    public static async Task<Exporters> StartAsync(RedisProcess redis)
    {
        var exporters = new Exporters(redis);
        await exporters.Nginx.StartAsync();
        await exporters.OfNginx.StartAsync();
        await exporters.OfRedis.StartAsync();
        return exporters;
    }

    public async ValueTask DisposeAsync()
    {
        await OfRedis.DisposeAsync();
        await OfNginx.DisposeAsync();
        await Nginx.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
