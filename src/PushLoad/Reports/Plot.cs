using System.Globalization;
using System.Net;
using System.Text;

namespace PushLoad.Reports;

/// <summary>One plot over time, as SVG: a few lines over the same axes, which begin at 0.</summary>
internal static class Plot
{
    private const int Width = 900;
    private const int Height = 300;
    private const int Left = 80;
    private const int Right = 130;
    private const int Top = 30;
    private const int Bottom = 40;
    private const int Steps = 5;

    private static readonly string[] Colours = ["#1f77b4", "#2ca02c", "#ff7f0e", "#d62728"];

    /// <param name="title">What it shows, with the unit.</param>
    /// <param name="times">Seconds, ascending.</param>
    /// <param name="lines">At most four; a null value interrupts its line.</param>
    public static string Svg(string title, IReadOnlyList<double> times, IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> lines)
    {
        var (lastTime, highest) = (Ceiling(times.DefaultIfEmpty(1).Max()), Ceiling(lines.SelectMany(line => line.Values).Max() ?? 1));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"18\" class=\"title\">{WebUtility.HtmlEncode(title)}</text>\n");
        for (var step = 0; step <= Steps; step++)
        {
            var (value, time) = (highest * step / Steps, lastTime * step / Steps);
            var y = Y(value);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\" class=\"grid\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{value:#,0.##}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(time):0.#}\" y=\"{Height - Bottom + 20}\" text-anchor=\"middle\">{time:0.##} s</text>\n");
        }

        for (var i = 0; i < lines.Count; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{Path(lines[i].Values)}\" fill=\"none\" stroke=\"{Colours[i]}\" stroke-width=\"1.5\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right + 12}\" y=\"{Top + 14 + (i * 18)}\" fill=\"{Colours[i]}\">");
            svg.Append(CultureInfo.InvariantCulture, $"{WebUtility.HtmlEncode(lines[i].Name)}</text>\n");
        }

        return svg.Append("</svg>").ToString();

        double X(double time) => Left + (time / lastTime * (Width - Left - Right));

        double Y(double value) => Height - Bottom - (value / highest * (Height - Top - Bottom));

        string Path(IReadOnlyList<double?> values)
        {
            var path = new StringBuilder();
            var draws = false;
            for (var i = 0; i < values.Count; i++)
            {
                if (values[i] is { } value)
                    path.Append(CultureInfo.InvariantCulture, $"{(draws ? 'L' : 'M')}{X(times[i]):0.#} {Y(value):0.#}");
                draws = values[i] is not null;
            }

            return path.ToString();
        }
    }

    /// <summary>The next of 1, 2, 5, 10, 20, 50...</summary>
    private static double Ceiling(double value)
    {
        if (value <= 0)
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return power * (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10);
    }
}
