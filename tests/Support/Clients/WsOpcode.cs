namespace TestSupport.Clients;

/// <summary>RFC 6455, section 11.8; the tests' own, so that they do not repeat a mistake of the code under test.</summary>
public enum WsOpcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}
