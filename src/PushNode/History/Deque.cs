namespace PushNode.History;

/// <summary>A list in a circular array, with both ends at constant cost. It shrinks when it is emptied.</summary>
internal sealed class Deque<T>
{
    private T[] _items = [];
    private int _first;

    public int Count { get; private set; }

    public T First => this[0];

    public T this[int index] => _items[(_first + index) % _items.Length];

    public void AddLast(T item)
    {
        Grow();
        _items[(_first + Count++) % _items.Length] = item;
    }

    public void AddFirst(T item)
    {
        Grow();
        _first = (_first + _items.Length - 1) % _items.Length;
        _items[_first] = item;
        Count++;
    }

    public T RemoveFirst()
    {
        var first = _items[_first];
        _items[_first] = default!;
        _first = (_first + 1) % _items.Length;
        Count--;
        return first;
    }

    public void Clear()
    {
        _items = [];
        (_first, Count) = (0, 0);
    }

    private void Grow()
    {
        if (Count < _items.Length)
            return;
        var larger = new T[Math.Max(8, 2 * Count)];
        for (var i = 0; i < Count; i++)
            larger[i] = this[i];
        (_items, _first) = (larger, 0);
    }
}
