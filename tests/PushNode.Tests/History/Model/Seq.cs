using System.Collections;
using System.Runtime.CompilerServices;

namespace PushNode.Tests.History.Model;

/// <summary>A short list that equals another with equal elements. Immutable; its hash is calculated once, so that a state's is cheap.</summary>
[CollectionBuilder(typeof(Seq), nameof(Seq.Of))]
internal sealed class Seq<T> : IReadOnlyList<T>, IEquatable<Seq<T>>
{
    public static readonly Seq<T> Empty = new([]);

    private readonly T[] _items;
    private readonly int _hash;

    /// <param name="items">The elements, which the caller does not change.</param>
    public Seq(T[] items)
    {
        _items = items;
        foreach (var item in items)
            _hash = (_hash * 31) + EqualityComparer<T>.Default.GetHashCode(item!) + 1;
    }

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public Seq<T> Add(T item) => [.. _items, item];

    public Seq<T> AddRange(Seq<T> more) => more.Count == 0 ? this : Count == 0 ? more : [.. _items, .. more._items];

    public Seq<T> Skip(int count) => count == 0 ? this : new Seq<T>(_items[count..]);

    public Seq<T> With(int index, T item)
    {
        var items = (T[])_items.Clone();
        items[index] = item;
        return new Seq<T>(items);
    }

    public Seq<T> Without(int index) => [.. _items[..index], .. _items[(index + 1)..]];

    public Seq<T> Where(Predicate<T> condition) => Array.TrueForAll(_items, condition) ? this : new Seq<T>(Array.FindAll(_items, condition));

    public bool Any(Predicate<T> condition) => Array.Exists(_items, condition);

    public int IndexOf(Predicate<T> condition) => Array.FindIndex(_items, condition);

    public bool Equals(Seq<T>? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        return other is not null && _hash == other._hash && _items.AsSpan().SequenceEqual(other._items, EqualityComparer<T>.Default);
    }

    public override bool Equals(object? obj) => Equals(obj as Seq<T>);

    public override int GetHashCode() => _hash;

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    public override string ToString() => $"[{string.Join(' ', _items)}]";
}

/// <summary>Makes lists.</summary>
internal static class Seq
{
    public static Seq<T> Of<T>(ReadOnlySpan<T> items) => items.IsEmpty ? Seq<T>.Empty : new Seq<T>(items.ToArray());

    public static Seq<T> Repeat<T>(T item, int count)
    {
        var items = new T[count];
        Array.Fill(items, item);
        return new Seq<T>(items);
    }
}
