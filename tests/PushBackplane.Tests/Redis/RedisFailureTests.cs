using System.Text;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>Error replies of the script that publishes once, as Redis 5 to 7 word them.</summary>
public sealed class RedisFailureTests
{
    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", true)]
    [InlineData("READONLY You can't write against a read only replica.", true)]
    [InlineData("@user_script: 5: -READONLY You can't write against a read only replica.", true)]
    [InlineData("ERR Error running script (call to f_0): @user_script:5: -OOM command not allowed when used memory > 'maxmemory'.", true)]
    [InlineData("MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.", true)]
    [InlineData("NOREPLICAS Not enough good replicas to write.", true)]
    [InlineData("LOADING Redis is loading the dataset in memory", true)]
    [InlineData("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true)]
    [InlineData("NOPERM this user has no permissions to run the 'eval' command", false)]
    [InlineData("ERR unknown command 'EVAL', with args beginning with: ", false)]
    [InlineData("ERR Unknown Redis command called from script", false)]
    [InlineData("CROSSSLOT Keys in request don't hash to the same slot", false)]
    public void A_cause_that_may_pass_is_told_from_one_that_does_not(string error, bool isPassing)
        => Assert.Equal(isPassing, RedisFailure.IsPassing(Encoding.ASCII.GetBytes(error)));

    [Theory]
    [InlineData("NOPERM this user has no permissions to run the 'eval' command", "its ACL forbids the user EVAL (NOPERM)")]
    [InlineData("NOPERM User monkey has no permissions to run the 'eval' command", "its ACL forbids the user EVAL (NOPERM)")]
    [InlineData("NOPERM this user has no permissions to access one of the keys used as arguments", "its ACL forbids the user a key that EVAL needs (NOPERM)")]
    [InlineData("NOPERM No permissions to access a key", "its ACL forbids the user a key that EVAL needs (NOPERM)")]
    public void A_missing_right_to_the_script_itself_is_named(string error, string cause)
        => Assert.Equal(cause, RedisFailure.Describe(Encoding.ASCII.GetBytes(error), "EVAL"));

    [Theory]
    [InlineData("ERR The user executing the script can't run this command or subcommand")]
    [InlineData("@user_script: 3: The user executing the script can't access at least one of the keys mentioned in the command arguments")]
    [InlineData("NOPERM ACL failure in script: User api has no permissions to run the 'set' command")]
    public void A_right_that_the_script_lacks_is_named_without_Rediss_own_text(string error)
        => Assert.Equal(
            "its ACL forbids the user a command, key or channel that the script of EVAL needs",
            RedisFailure.Describe(Encoding.ASCII.GetBytes(error), "EVAL"));
}
