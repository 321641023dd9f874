//! The kinds of tokens, and what holds for each where a request does not say otherwise.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a token is for. A token is never accepted as one of another kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TokenKind {
    /// Of an administrator.
    Admin,
    /// Of a user, kept for long.
    User,
    /// Of a program, with scopes and perhaps limits of its own.
    ApiKey,
    /// For emergencies: valid only while it is armed, once for each arming.
    BreakGlass,
    /// Logs in from an e-mail, once.
    MagicLink,
    /// Resets a password, once.
    Reset,
    /// Invites, once.
    Invite,
    /// Of a session, or an access token.
    Session,
    /// Gets new tokens, and is rotated when it does.
    Refresh,
    /// A number of 6 to 10 digits that a person types: see [`crate::Tokens::issue_code`].
    ShortCode,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: &'static [TokenKind] = &[
        TokenKind::Admin,
        TokenKind::User,
        TokenKind::ApiKey,
        TokenKind::BreakGlass,
        TokenKind::MagicLink,
        TokenKind::Reset,
        TokenKind::Invite,
        TokenKind::Session,
        TokenKind::Refresh,
        TokenKind::ShortCode,
    ];

    /// The stable name: `admin`, `user`, `api_key`, `break_glass`, `magic_link`, `reset`, `invite`, `session`,
    /// `refresh` or `short_code`.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::Admin => "admin",
            TokenKind::User => "user",
            TokenKind::ApiKey => "api_key",
            TokenKind::BreakGlass => "break_glass",
            TokenKind::MagicLink => "magic_link",
            TokenKind::Reset => "reset",
            TokenKind::Invite => "invite",
            TokenKind::Session => "session",
            TokenKind::Refresh => "refresh",
            TokenKind::ShortCode => "short_code",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What the text of its tokens begins with by default: `sladm`, `slusr`, `slkey`, `slbrk`, `slmag`, `slrst`, `slinv`,
    /// `slses` or `slref`. A short code has none.
    pub fn default_prefix(self) -> &'static str {
        match self {
            TokenKind::Admin => "sladm",
            TokenKind::User => "slusr",
            TokenKind::ApiKey => "slkey",
            TokenKind::BreakGlass => "slbrk",
            TokenKind::MagicLink => "slmag",
            TokenKind::Reset => "slrst",
            TokenKind::Invite => "slinv",
            TokenKind::Session => "slses",
            TokenKind::Refresh => "slref",
            TokenKind::ShortCode => "",
        }
    }

    /// How long its tokens are valid by default; `None` for those that do not expire.
    pub fn default_expiry(self) -> Option<Duration> {
        let seconds = match self {
            TokenKind::Admin | TokenKind::User | TokenKind::ApiKey | TokenKind::BreakGlass => {
                return None;
            }
            TokenKind::MagicLink => 15 * MINUTE,
            TokenKind::Reset => HOUR,
            TokenKind::Invite | TokenKind::Session => 7 * DAY,
            TokenKind::Refresh => 30 * DAY,
            TokenKind::ShortCode => 10 * MINUTE,
        };
        Some(Duration::from_secs(seconds))
    }

    /// How often its tokens can be used by default; `None` for any number of times.
    pub fn default_uses(self) -> Option<u32> {
        matches!(
            self,
            TokenKind::MagicLink | TokenKind::Reset | TokenKind::Invite | TokenKind::ShortCode
        )
        .then_some(1)
    }

    /// One bit of a set of kinds.
    pub(super) fn bit(self) -> u16 {
        1 << self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documentation promises of each: name, prefix, minutes, uses.
    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let known = [
            (TokenKind::Admin, "admin", "sladm", None, None),
            (TokenKind::User, "user", "slusr", None, None),
            (TokenKind::ApiKey, "api_key", "slkey", None, None),
            (TokenKind::BreakGlass, "break_glass", "slbrk", None, None),
            (TokenKind::MagicLink, "magic_link", "slmag", Some(15), Some(1)),
            (TokenKind::Reset, "reset", "slrst", Some(60), Some(1)),
            (TokenKind::Invite, "invite", "slinv", Some(7 * 1_440), Some(1)),
            (TokenKind::Session, "session", "slses", Some(7 * 1_440), None),
            (TokenKind::Refresh, "refresh", "slref", Some(30 * 1_440), None),
            (TokenKind::ShortCode, "short_code", "", Some(10), Some(1)),
        ];
        assert_eq!(known.map(|(kind, ..)| kind), TokenKind::ALL);
        for (kind, name, prefix, minutes, uses) in known {
            assert_eq!((kind.name(), kind.default_prefix()), (name, prefix));
            let expiry = minutes.map(|minutes| Duration::from_secs(minutes * 60));
            assert_eq!((kind.default_expiry(), kind.default_uses()), (expiry, uses), "{name}");
            assert_eq!(TokenKind::from_name(name), Some(kind));
        }
        assert_eq!(TokenKind::from_name("Admin"), None);
    }
}
