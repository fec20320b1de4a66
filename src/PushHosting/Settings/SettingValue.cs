using System.Globalization;
using System.Reflection;

namespace PushHosting.Settings;

/// <summary>What one property of a settings class accepts: reads a text as its type and range say, and says so in words.</summary>
/// <param name="property">The property.</param>
/// <param name="standard">Its value unless set, which makes the best example.</param>
internal sealed class SettingValue(PropertyInfo property, object? standard)
{
    private readonly Type _type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
    private readonly NumberAttribute? _number = property.GetCustomAttribute<NumberAttribute>();
    private readonly DurationAttribute? _duration = property.GetCustomAttribute<DurationAttribute>();

    /// <summary>Reads a text, always in the invariant culture.</summary>
    /// <returns>False when it is not of the property's type or not in its range.</returns>
    public bool TryParse(string text, out object? value)
    {
        value = null;
        if (_type == typeof(string))
            value = text;
        else if (_type == typeof(bool))
            value = bool.TryParse(text, out var parsed) ? parsed : null;
        else if (_type == typeof(int))
            value = int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed) && InRange(parsed) ? parsed : null;
        else if (_type == typeof(long))
            value = long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed) && InRange(parsed) ? parsed : null;
        else if (_type == typeof(double))
            value = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) && InRange(parsed) ? parsed : null;
        else if (_type == typeof(TimeSpan))
            value = TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var parsed) && InRange(parsed) ? parsed : null;
        else if (_type.IsEnum)
            // By name only: Enum.TryParse takes any number, and lists of names.
            value = Enum.GetNames(_type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(_type, name) : null;
        else
            throw new InvalidOperationException($"{property.DeclaringType}.{property.Name} is of a type that no setting can have: {_type}.");
        return value is not null;
    }

    /// <summary>What is accepted, as the end of a sentence that has "accepts" before it.</summary>
    public override string ToString()
    {
        if (_type == typeof(string))
            return "a text";
        if (_type == typeof(bool))
            return $"true or false, for example {(Equals(standard, true) ? "true" : "false")}";
        if (_type.IsEnum)
            return $"one of {SettingText.List(Enum.GetNames(_type))}, for example {standard ?? Enum.GetNames(_type)[0]}";
        if (_type == typeof(TimeSpan))
            return $"a duration{Range(_duration?.Least, _duration?.Most)}, written hh:mm:ss, for example {DurationExample()}";
        return $"a {(_type == typeof(double) ? "" : "whole ")}number{Range(_number?.Least, _number?.Most)}, for example {NumberExample()}";
    }

    private bool InRange(double number) => double.IsFinite(number) && (_number is null || (number >= _number.Least && number <= _number.Most));

    private bool InRange(long number) => _number is null || (number >= _number.Least && number <= _number.Most);

    private bool InRange(TimeSpan duration) => _duration is null || (duration >= Bound(_duration.Least) && duration <= Bound(_duration.Most));

    private static TimeSpan Bound(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static string Range(object? least, object? most) => least is null ? "" : $" from {least} to {most}";

    private string DurationExample()
    {
        if (standard is not TimeSpan duration || !InRange(duration))
            return _duration?.Least ?? "00:00:01";
        var text = duration.ToString("c", CultureInfo.InvariantCulture);
        return duration.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }

    private string NumberExample()
    {
        var fits = standard switch
        {
            int number => InRange((long)number),
            long number => InRange(number),
            double number => InRange(number),
            _ => false,
        };
        return fits ? Convert.ToString(standard, CultureInfo.InvariantCulture)! : (_number?.Least ?? 1).ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>The range of an <see cref="int"/>, <see cref="long"/> or <see cref="double"/> setting, both ends included.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NumberAttribute(long least, long most) : Attribute
{
    /// <summary>The smallest number accepted.</summary>
    public long Least { get; } = least;

    /// <summary>The largest number accepted.</summary>
    public long Most { get; } = most;
}

/// <summary>The range of a <see cref="TimeSpan"/> setting, both ends included, in .NET's form <c>hh:mm:ss.fff</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationAttribute(string least, string most) : Attribute
{
    /// <summary>The shortest duration accepted.</summary>
    public string Least { get; } = least;

    /// <summary>The longest duration accepted.</summary>
    public string Most { get; } = most;
}
