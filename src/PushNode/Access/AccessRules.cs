using PushBackplane;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>
/// Decides by a client's token who it is and what it may do, at the handshake and at AUTH, as <c>Push:Auth:Mode</c> wants it. Lives as long
/// as the node; any thread.
/// </summary>
internal sealed class AccessRules
{
    private readonly TokenVerifier _verifier;
    private readonly GuestTokens? _guests;
    private readonly RoomPatterns _publicRooms = RoomPatterns.None;
    private readonly Principal? _stranger;

    /// <param name="settings">What the operator wants.</param>
    /// <param name="verifier">Verifies clients' tokens.</param>
    /// <param name="guests">The tokens of the live room's readers, which count in the mode Off only; null if there are none.</param>
    public AccessRules(AuthSettings settings, TokenVerifier verifier, GuestTokens? guests = null)
    {
        (Settings, _verifier, _guests) = (settings, verifier, settings.Mode == AuthMode.Off ? guests : null);
        if (settings.Mode == AuthMode.Off)
            _stranger = Principal.Anyone;
        else if (settings.Mode == AuthMode.Optional && RoomPatterns.TryParseList(settings.PublicRooms, out var rooms, out _))
            _stranger = new Principal { Join = _publicRooms = rooms };
    }

    /// <summary>The settings.</summary>
    public AuthSettings Settings { get; }

    /// <summary>Whether the handshake looks at tokens.</summary>
    public bool IsOn => Settings.Mode != AuthMode.Off;

    /// <summary>Whether tokens can be verified: not until a key set has been read for the first time.</summary>
    public bool IsReady => !IsOn || _verifier.IsReady;

    /// <summary>Whether a client can have a user: by a token, or as a guest of the live room.</summary>
    public bool HasUsers => IsOn || _guests is not null;

    /// <summary>Whether AUTH looks at this token.</summary>
    public bool LooksAt(string? token) => IsOn || (_guests is not null && GuestTokens.IsGuests(token));

    /// <summary>What a client without a token is; null if it is nobody before its AUTH.</summary>
    public Principal? Stranger => _stranger;

    /// <summary>Whether a client may join a room: by its token, or because everybody may.</summary>
    public bool MayJoin(Principal principal, RoomId room) => principal.Join.Contains(room) || _publicRooms.Contains(room);

    /// <summary>Verifies a token of a handshake or an AUTH.</summary>
    /// <param name="token">The token.</param>
    /// <param name="principal">What it allows; null unless it is accepted.</param>
    public TokenVerdict Verify(ReadOnlySpan<char> token, out Principal? principal) =>
        _guests is null ? _verifier.Verify(token, out principal) : _guests.Verify(token, out principal);

    /// <summary>Counts that a client without a token was refused, or gave two.</summary>
    /// <returns>The verdict.</returns>
    public TokenVerdict Count(TokenVerdict verdict) => _verifier.Count(verdict);
}
