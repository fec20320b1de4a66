namespace PushHosting.Status;

/// <summary>The values of one line in the last minutes. Owned by a <see cref="PlotHistory"/>.</summary>
internal sealed class LineHistory
{
    private readonly float[] _values = new float[PlotHistory.Length];

    public LineHistory(string name)
    {
        Name = name;
        Array.Fill(_values, float.NaN);
    }

    public string Name { get; }

    /// <summary>The newest value, exactly; null if there is none.</summary>
    public double? Now { get; private set; }

    /// <summary>The value of a counter since the start; null for other lines.</summary>
    public double? Total { get; private set; }

    /// <summary>A value of the last minutes, with a plot's precision; NaN if there is none.</summary>
    /// <param name="sample">The number of its sample.</param>
    public float this[long sample] => _values[sample % _values.Length];

    /// <summary>Replaces the oldest value.</summary>
    public void Set(long sample, double? value, double? total)
    {
        (Now, Total) = (value, total);
        _values[sample % _values.Length] = (float?)value ?? float.NaN;
    }
}
