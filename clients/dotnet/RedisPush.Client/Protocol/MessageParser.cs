using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace RedisPush.Client.Protocol;

/// <summary>
/// Reads one message of the server in one pass over its bytes. Safe on any bytes; unknown members and types are skipped. For one thread at
/// a time: it keeps its list of items from message to message.
/// </summary>
internal sealed class MessageParser
{
    /// <summary>The deepest published item, 64 levels, in the array, the <c>data</c> and the object around it.</summary>
    private const int MaxDepth = 67;

    private const int KeptItems = 4096;

    private readonly List<(int Start, int Length)> _items = [];

    /// <returns>A message, of the type <see cref="ServerMessage.Unreadable"/> if it is not one of the protocol.</returns>
    public ServerMessage Parse(ReadOnlySpan<byte> utf8) =>
        TryParse(utf8, out var message) ? message : new ServerMessage { Type = ServerMessage.Unreadable };

    private bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ServerMessage? message)
    {
        message = null;
        _items.Clear();
        if (_items.Capacity > KeptItems)
            _items.Capacity = 0;
        var found = new ServerMessage();
        var data = new Data();
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !TryReadMembers(ref reader, found, ref data) || reader.Read())
                return false;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Expected of a hostile server: not JSON, or a string with half a surrogate pair.
            return false;
        }

        var count = data.HasItems ? _items.Count : 0;
        var positioned = data.HasPositioned ? data.Positioned ?? long.MaxValue : count;
        if (PositionOf(data.Epoch, data.Offset) is { } position && positioned <= Math.Min(count, position.Offset))
            (found.Position, found.Positioned) = (position, (int)positioned);
        if (data.HasItems)
            found.Items = CopyItems(utf8, found.Positioned == count ? found.Position : null);
        // A name that cannot be read is nobody's, and a PUSH without items says nothing.
        if ((data.NameIsBad && (found.Type is "PUSH" or "GAP")) || (found.Type == "PUSH" && found.Items is null))
            return false;
        message = found;
        return true;
    }

    private bool TryReadMembers(ref Utf8JsonReader reader, ServerMessage message, ref Data data)
    {
        var hasType = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String)
                    return false;
                message.Type = reader.GetString()!;
                hasType = true;
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                message.Id = ReadNumber(ref reader);
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                    ReadData(ref reader, message, ref data);
                else
                    reader.Skip();
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return hasType;
    }

    private void ReadData(ref Utf8JsonReader reader, ServerMessage message, ref Data data)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("room"u8))
                data.NameIsBad |= (message.Room = ReadText(ref reader)) is null;
            else if (reader.ValueTextEquals("user"u8))
                data.NameIsBad |= (message.User = ReadText(ref reader)) is null;
            else if (reader.ValueTextEquals("items"u8))
                data.HasItems = TryReadItems(ref reader);
            else if (reader.ValueTextEquals("in"u8))
                message.In = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("online"u8))
                message.Online = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("missed"u8))
                message.Missed = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("reason"u8))
                message.Reason = ReadText(ref reader);
            else if (reader.ValueTextEquals("code"u8))
                message.Code = ReadText(ref reader);
            else if (reader.ValueTextEquals("message"u8))
                message.Text = ReadText(ref reader);
            else if (reader.ValueTextEquals("epoch"u8))
                data.Epoch = ReadText(ref reader);
            else if (reader.ValueTextEquals("offset"u8))
                data.Offset = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("positioned"u8))
                (data.HasPositioned, data.Positioned) = (true, ReadNumber(ref reader));
            else if (reader.ValueTextEquals("from"u8))
                message.From = ReadPosition(ref reader);
            else if (reader.ValueTextEquals("to"u8))
                message.To = ReadPosition(ref reader);
            else if (reader.ValueTextEquals("more"u8))
                message.More = ReadFlag(ref reader);
            else if (reader.ValueTextEquals("recovered"u8))
                message.Recovered = ReadFlag(ref reader);
            else
                ReadFlag(ref reader);
        }
    }

    private bool TryReadItems(ref Utf8JsonReader reader)
    {
        _items.Clear();
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return false;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            _items.Add((start, (int)reader.BytesConsumed - start));
        }

        return true;
    }

    /// <summary>Into an array of exactly their length, so that what a subscription holds is what it counts.</summary>
    private PushMessage[] CopyItems(ReadOnlySpan<byte> utf8, PushPosition? last)
    {
        var length = 0;
        foreach (var item in _items)
            length += item.Length;
        var copy = new byte[length];
        var messages = new PushMessage[_items.Count];
        var copied = 0;
        for (var i = 0; i < messages.Length; i++)
        {
            var (start, size) = _items[i];
            utf8.Slice(start, size).CopyTo(copy.AsSpan(copied));
            PushPosition? position = last is { } end ? end with { Offset = end.Offset - (messages.Length - 1 - i) } : null;
            messages[i] = new PushMessage(copy.AsMemory(copied, size), position);
            copied += size;
        }

        return messages;
    }

    private static string? ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        reader.Skip();
        return null;
    }

    /// <summary>A whole number that is not negative; null for anything else.</summary>
    private static long? ReadNumber(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0)
            return number;
        reader.Skip();
        return null;
    }

    private static PushPosition? ReadPosition(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        string? epoch = null;
        long? offset = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("epoch"u8))
                epoch = ReadText(ref reader);
            else if (reader.ValueTextEquals("offset"u8))
                offset = ReadNumber(ref reader);
            else
                ReadFlag(ref reader);
        }

        return PositionOf(epoch, offset);
    }

    private static PushPosition? PositionOf(string? epoch, long? offset) =>
        epoch is not null && offset is { } number && new PushPosition(epoch, number) is { IsValid: true } position ? position : null;

    private static bool ReadFlag(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.True)
            return true;
        reader.Skip();
        return false;
    }

    private ref struct Data
    {
        public string? Epoch;
        public long? Offset;
        public bool HasItems;
        public bool NameIsBad;
        public bool HasPositioned;
        public long? Positioned;
    }
}
