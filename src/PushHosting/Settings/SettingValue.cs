using System.Globalization;
using System.Reflection;

namespace PushHosting.Settings;

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

/// <summary>
/// The values that one property of a settings class accepts: parses them, and describes them for an error. Belongs to one reading.
/// </summary>
/// <param name="property">The property.</param>
/// <param name="standard">Its default, used as the example in errors.</param>
internal sealed class SettingValue(PropertyInfo property, object? standard)
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private readonly Type _type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
    private readonly NumberAttribute? _number = property.GetCustomAttribute<NumberAttribute>();
    private readonly DurationAttribute? _duration = property.GetCustomAttribute<DurationAttribute>();

    private bool IsWhole => _type == typeof(int) || _type == typeof(long);

    /// <summary>Parses a text, always in the invariant culture. Null if it is not of the property's type or not in its range.</summary>
    public object? Parse(string text)
    {
        if (_type == typeof(string))
            return text;
        if (_type == typeof(bool))
            return bool.TryParse(text, out var flag) ? flag : null;
        if (_type == typeof(TimeSpan))
            return TimeSpan.TryParse(text, Invariant, out var duration) && InRange(duration) ? duration : null;
        // By name only, because Enum.TryParse also accepts any number and lists of names.
        if (_type.IsEnum)
        {
            var name = Array.Find(Enum.GetNames(_type), name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
            return name is null ? null : Enum.Parse(_type, name);
        }
        if (!IsWhole && _type != typeof(double))
            throw new InvalidOperationException($"{property.DeclaringType}.{property.Name} has a type that no setting can have: {_type}.");
        return decimal.TryParse(text, IsWhole ? NumberStyles.Integer : NumberStyles.Float, Invariant, out var number) && InRange(number)
            ? Convert.ChangeType(number, _type, Invariant)
            : null;
    }

    /// <summary>The accepted values, as the end of a sentence after "accepts".</summary>
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
        return $"a {(IsWhole ? "whole " : "")}number{Range(_number?.Least, _number?.Most)}, for example {NumberExample()}";
    }

    private bool InRange(decimal number)
    {
        var (least, most) = _type == typeof(int) ? (int.MinValue, int.MaxValue) : (long.MinValue, long.MaxValue);
        return number >= (_number?.Least ?? least) && number <= (_number?.Most ?? most);
    }

    private bool InRange(TimeSpan duration) =>
        _duration is null || (duration >= TimeSpan.Parse(_duration.Least, Invariant) && duration <= TimeSpan.Parse(_duration.Most, Invariant));

    private static string Range(object? least, object? most) => least is null ? "" : $" from {least} to {most}";

    private string DurationExample()
    {
        if (standard is not TimeSpan duration || !InRange(duration))
            return _duration?.Least ?? "00:00:01";
        return SettingText.Duration(duration);
    }

    private string NumberExample()
    {
        var example = standard is null ? _number?.Least ?? 1 : Convert.ToDecimal(standard, Invariant);
        return (InRange(example) ? example : _number!.Least).ToString(Invariant);
    }
}
