//! Texts that name a grant, so that nothing else need be stored: codes, refresh tokens, and the access tokens of
//! grants that give no other.
//!
//! Codes and such access tokens name the session too, so that both records are asked for at once. Who has the
//! text can neither make another nor see the session in it: resource servers of several clients must not be
//! able to join what they saw of one member.

use super::grant::{Grant, LOST_RESPONSE};
use crate::{app::App, clock::Entropy, crypto::MasterKey};

/// A code (RFC 6749 §1.3.1).
pub const CODE: &str = "code";
/// An access token (RFC 6749 §1.4).
pub const ACCESS_TOKEN: &str = "access-token";

/// Purpose of the mac of refresh tokens.
const REFRESH_TOKEN: &str = "refresh-token";

/// What a text names.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The grant.
    pub grant: String,
    /// `sid` of the session.
    pub sid: String,
}

impl Ticket {
    /// Writes it for a purpose. Each grant has a key of its own, so a key never encrypts often.
    pub fn write(&self, master: &MasterKey, entropy: &Entropy, purpose: &str) -> String {
        let Self { grant, sid } = self;
        format!("{grant}.{}", master.seal(&key(purpose, grant), "", sid.as_bytes(), entropy))
    }

    /// Reads a text; one that this provider never wrote for the purpose is none.
    pub fn read(master: &MasterKey, purpose: &str, text: &str) -> Option<Self> {
        let (grant, sealed) = text.split_once('.')?;
        let sid = master.open(&key(purpose, grant), "", sealed).ok()?;
        Some(Self { grant: grant.to_owned(), sid: String::from_utf8(sid).ok()? })
    }
}

fn key(purpose: &str, grant: &str) -> String {
    format!("{purpose}:{grant}")
}

/// The presented form of a refresh token: `grant.generation.mac`.
#[derive(Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The grant that it belongs to.
    pub grant: String,
    /// Its number in the family.
    pub generation: u64,
}

impl RefreshToken {
    /// Writes the token of a generation; the same generation always gives the same token.
    pub fn mint(app: &App, grant: &str, generation: u64) -> String {
        app.members.master.stamp(REFRESH_TOKEN, &format!("{grant}.{generation}"))
    }

    /// Reads a token; one that this provider never wrote is none, and changes nothing.
    pub fn read(app: &App, token: &str) -> Option<Self> {
        let (grant, generation) = app.members.master.stamped(REFRESH_TOKEN, token)?.split_once('.')?;
        Some(Self { grant: grant.to_owned(), generation: generation.parse().ok()? })
    }

    /// Whether a refresh with it would be answered, as far as the family goes: it is the current one, or was
    /// until a moment ago.
    pub fn is_current(&self, app: &App, grant: &Grant) -> bool {
        let (Some(family), Some(end)) = (&grant.family, grant.refresh_until(app)) else { return false };
        let now = app.now();
        let previous = self.generation.checked_add(1) == Some(family.generation);
        let lost = previous && now < family.rotated_at.plus(LOST_RESPONSE);
        now < end && (self.generation == family.generation || lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_for_the_purpose_is_read() {
        let (master, entropy) = (MasterKey::from_bytes([7; 32]), Entropy::system());
        let ticket = Ticket { grant: entropy.id(), sid: entropy.id() };
        let text = ticket.write(&master, &entropy, CODE);
        assert_eq!(Ticket::read(&master, CODE, &text).as_ref(), Some(&ticket));
        assert!(!text.contains(&ticket.sid), "the session is not for others to see");
        assert_ne!(text, ticket.write(&master, &entropy, CODE));
        assert_eq!(Ticket::read(&master, ACCESS_TOKEN, &text), None);
        assert_eq!(Ticket::read(&MasterKey::from_bytes([8; 32]), CODE, &text), None);
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(Ticket::read(&master, CODE, &altered), None, "{altered}");
            assert_eq!(Ticket::read(&master, CODE, &text[..at]), None);
        }
    }
}
