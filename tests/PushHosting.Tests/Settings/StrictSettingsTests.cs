using System.Globalization;
using Microsoft.Extensions.Configuration;
using PushHosting.Settings;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Settings;

public sealed class StrictSettingsTests
{
    [Theory]
    [InlineData("Push:Merge:Window=banana", "Push:Merge:Window is 'banana'; it accepts a duration from 00:00:00.1 to 00:01:00, written hh:mm:ss, for example 00:00:01.")]
    [InlineData("Push:Merge:Window=1", "Push:Merge:Window is '1'; it accepts a duration from 00:00:00.1 to 00:01:00, written hh:mm:ss, for example 00:00:01.")]
    [InlineData("push:merge:GATHER=-00:00:01", "Push:Merge:Gather is '-00:00:01'; it accepts a duration from 00:00:00 to 00:00:01, written hh:mm:ss, for example 00:00:00.05.")]
    [InlineData("Push:Shards=0", "Push:Shards is '0'; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Shards=65537", "Push:Shards is '65537'; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Shards=1.5", "Push:Shards is '1.5'; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Shards=99999999999999999999", "Push:Shards is '99999999999999999999'; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Unbounded=x", "Push:Unbounded is 'x'; it accepts a whole number, for example 0.")]
    [InlineData("Push:Jitter=NaN", "Push:Jitter is 'NaN'; it accepts a number from 0 to 1, for example 0.5.")]
    [InlineData("Push:Jitter=0,5", "Push:Jitter is '0,5'; it accepts a number from 0 to 1, for example 0.5.")]
    [InlineData("Push:Maybe=11", "Push:Maybe is '11'; it accepts a whole number from 1 to 10, for example 1.")]
    [InlineData("Push:Compress=yes", "Push:Compress is 'yes'; it accepts true or false, for example false.")]
    [InlineData("Push:Policy=1", "Push:Policy is '1'; it accepts one of DropOldest and Disconnect, for example DropOldest.")]
    [InlineData("Push:Policy=DropOldest,Disconnect", "Push:Policy is 'DropOldest,Disconnect'; it accepts one of DropOldest and Disconnect, for example DropOldest.")]
    [InlineData("Push:Origins=a", "Push:Origins is 'a'; it accepts a list with one text per key, for example Push:Origins:0 and Push:Origins:1.")]
    [InlineData("Push:Origins:first=a", "Push:Origins:first is not an item of Push:Origins; it accepts a list with one text per key, for example Push:Origins:0 and Push:Origins:1.")]
    [InlineData("Push:Merge:Windw=x", "Push:Merge:Windw is not a key; Push:Merge accepts Window and Gather.")]
    [InlineData("Push:Derived=4", "Push:Derived is not a key; Push accepts Node, RedisPassword, Shards, Unbounded, Jitter, Maybe, RedisSecretNumber, Compress, Policy, Origins, Merge and Rooms.")]
    [InlineData("Push:Merge=5", "Push:Merge is '5'; it accepts no value of its own, only the keys Window and Gather, for example Push:Merge:Window.")]
    [InlineData("Push:Origins:0=a;Push:Origins:1=", "Push:Origins:1 is empty; it accepts a list with one text per key, for example Push:Origins:0 and Push:Origins:1, none of them empty.")]
    [InlineData("Push:Origins:0= ", "Push:Origins:0 is empty; it accepts a list with one text per key, for example Push:Origins:0 and Push:Origins:1, none of them empty.")]
    [InlineData("Push:Origins:0=a;Push:Origins:2=b", "Push:Origins:1 is missing before Push:Origins:2; it accepts a list with one text per key, for example Push:Origins:0 and Push:Origins:1, numbered without gaps.")]
    [InlineData("Push:Merge:Window:Low=1", "Push:Merge:Window:Low is not a key, since Push:Merge:Window is not a section; Push:Merge:Window accepts a duration from 00:00:00.1 to 00:01:00, written hh:mm:ss, for example 00:00:01.")]
    [InlineData("Push:Node:Name=1", "Push:Node:Name is not a key, since Push:Node is not a section; Push:Node accepts a text.")]
    [InlineData("Push:RedisSecretNumber=hunter2", "Push:RedisSecretNumber is a value that is not shown here; it accepts a whole number from 1 to 10, for example 1.")]
    [InlineData("Push:Shards=redis:6379,password=hunter2", "Push:Shards is a value that is not shown here; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Shards=http://me:hunter2@host", "Push:Shards is a value that is not shown here; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Node=bad", "Push:Node is 'bad'; it accepts a good name.")]
    [InlineData("Push:Merge:Window=00:00:00.5;Push:Merge:Gather=00:00:01", "Push:Merge:Gather is longer than Push:Merge:Window; it accepts a duration up to that.")]
    [InlineData("Push:Shards=1\n2", "Push:Shards is '1?2'; it accepts a whole number from 1 to 65536, for example 16.")]
    [InlineData("Push:Rooms=a", "Push:Rooms is 'a'; it accepts a list of sections, for example Push:Rooms:0:Pattern and Push:Rooms:1:Pattern.")]
    [InlineData("Push:Rooms:x:Size=1", "Push:Rooms:x is not an item of Push:Rooms; it accepts a list of sections, for example Push:Rooms:0:Pattern and Push:Rooms:1:Pattern.")]
    [InlineData("Push:Rooms:0=a", "Push:Rooms:0 is 'a'; it accepts no value of its own, only the keys Pattern and Size, for example Push:Rooms:0:Pattern.")]
    [InlineData("Push:Rooms:0:Pattern=a;Push:Rooms:2:Pattern=b", "Push:Rooms:1 is missing before Push:Rooms:2; it accepts a list of sections, for example Push:Rooms:0:Pattern and Push:Rooms:1:Pattern, numbered without gaps.")]
    [InlineData("Push:Rooms:0:Pattern=a;Push:Rooms:0:Sise=1", "Push:Rooms:0:Sise is not a key; Push:Rooms:0 accepts Pattern and Size.")]
    [InlineData("Push:Rooms:0:Pattern=a;Push:Rooms:0:Size=101", "Push:Rooms:0:Size is '101'; it accepts a whole number from 1 to 100, for example 10.")]
    [InlineData("Push:Rooms:0:Pattern=a;Push:Rooms:1:Size=1", "Push:Rooms:1:Pattern is missing; it accepts a pattern.")]
    public void A_wrong_setting_is_one_sentence_with_key_value_and_accepted_values(string settings, string sentence)
    {
        var exception = Assert.Throws<SettingsException>(() => Read(settings));
        Assert.Equal(sentence, exception.Message);
    }

    [Fact]
    public void A_long_value_is_cut()
    {
        var exception = Assert.Throws<SettingsException>(() => Read("Push:Shards=" + new string('9', 5000)));
        Assert.InRange(exception.Message.Length, 100, 300);
    }

    [Fact]
    public void Every_kind_of_value_is_read_and_keys_ignore_case()
    {
        var read = Read(
            "push:NODE=n1;Push:shards=7;Push:Unbounded=-5000000000;Push:Jitter=0.25;Push:Maybe=3;Push:Compress=TRUE;Push:Policy=disconnect;"
            + "Push:Origins:1=b;Push:Origins:0=a;Push:Merge:Window=00:00:02.5;Push:RedisPassword=p");

        Assert.Equal("n1", read.Node);
        Assert.Equal(7, read.Shards);
        Assert.Equal(-5_000_000_000, read.Unbounded);
        Assert.Equal(0.25, read.Jitter);
        Assert.Equal(3, read.Maybe);
        Assert.True(read.Compress);
        Assert.Equal(OutboxPolicy.Disconnect, read.Policy);
        Assert.Equal(["a", "b"], read.Origins);
        Assert.Equal(TimeSpan.FromSeconds(2.5), read.Merge.Window);
        Assert.Equal(TimeSpan.FromMilliseconds(50), read.Merge.Gather);
        Assert.Equal("p", read.RedisPassword);
    }

    [Fact]
    public void An_empty_value_is_unset_except_for_a_text()
    {
        var read = Read("Push:Shards=;Push:Merge:Window=;Push:Policy=;Push:Origins=;Push:Merge=;Push:Maybe=;Push:RedisPassword=");

        Assert.Equal(16, read.Shards);
        Assert.Equal(TimeSpan.FromSeconds(1), read.Merge.Window);
        Assert.Equal(OutboxPolicy.DropOldest, read.Policy);
        Assert.Equal(["*"], read.Origins);
        Assert.Null(read.Maybe);
        Assert.Equal("", read.RedisPassword);
    }

    [Fact]
    public void A_list_of_sections_is_read_in_the_order_of_its_numbers()
    {
        var pairs = Enumerable.Range(0, 11).ToDictionary(i => $"Rooms:{i}:Pattern", i => (string?)$"room{i}");
        pairs["Rooms:10:size"] = "7";
        var rooms = StrictSettings.ReadList<SampleSettings.RoomSettings>(new ConfigurationBuilder().AddInMemoryCollection(pairs).Build(), "Rooms");

        Assert.Equal(pairs.Values.SkipLast(1), rooms.Select(room => room.Pattern));
        Assert.Equal([10, 7], rooms.Skip(9).Select(room => room.Size));
        Assert.Equal("b", Assert.Single(Read("Push:Rooms:0:Pattern=b").Rooms).Pattern);
        Assert.Empty(Read("Push:Rooms=").Rooms);
    }

    [Fact]
    public void The_ends_of_a_range_are_accepted()
    {
        var read = Read("Push:Shards=65536;Push:Merge:Window=00:01:00;Push:Merge:Gather=00:00:00;Push:Jitter=1");
        Assert.Equal(TimeSpan.FromMinutes(1), read.Merge.Window);
        Assert.Equal(1, read.Jitter);
    }

    [Fact]
    public void The_culture_of_the_machine_does_not_matter()
    {
        var before = CultureInfo.CurrentCulture;
        // InvariantGlobalization leaves no other culture to choose. This one writes numbers as German does.
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        comma.NumberFormat.NumberGroupSeparator = ".";
        try
        {
            CultureInfo.CurrentCulture = comma;
            Assert.Equal(0.25, Read("Push:Jitter=0.25").Jitter);
            Assert.Contains("for example 0.5.", Assert.Throws<SettingsException>(() => Read("Push:Jitter=2")).Message, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Unset_keys_have_their_defaults() => Assert.Equal(16, Read("Other:Key=1").Shards);

    private static SampleSettings Read(string settings)
    {
        var pairs = settings.Split(';').Select(setting => setting.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], (string?)parts[1]));
        return StrictSettings.Read<SampleSettings>(new ConfigurationBuilder().AddInMemoryCollection(pairs).Build(), "Push");
    }
}
