//! One-time activation codes: what the office hands over, so that a birth date alone opens nothing.
//!
//! A code is asked for where the insurer's policy says so, everywhere while a spray alarm lasts, and always from
//! a person who was given one, also when it has expired or is void: the office can give another, or take it back
//! with the birth date alone. The page has a field for it in any case, so it tells nobody who has a code.

use std::fmt;

use super::Members;
use crate::{
    clock::{Entropy, Timestamp},
    config::insurer::{Activation, Policy},
    crypto::digest,
    fault::Fault,
    storage::{Tx, activation_code},
};

/// Wrong codes after which a code is void.
const MOST_MISSES: i64 = 5;
/// Letters and digits that are not taken for each other, in print or by ear.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a code, 5 bits each.
const LENGTH: usize = 12;
/// Characters of input that are looked at.
const MOST_TYPED: usize = 100;

/// A code in clear, shown once and then known to its person alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode(String);

impl ActivationCode {
    /// A fresh one of 60 bits.
    fn fresh(entropy: &Entropy) -> Self {
        let letters = entropy.bytes::<LENGTH>();
        Self(letters.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// What was typed, in any width and case, with or without its hyphens.
    fn read(text: &str) -> Self {
        let start: String = text.chars().take(MOST_TYPED).collect();
        let folded = super::login_id::fold_numeric(&start);
        Self(folded.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect())
    }

    /// In groups of four, as it is printed.
    pub fn grouped(&self) -> String {
        let groups: Vec<_> = self.0.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(***)")
    }
}

impl Members {
    /// Whether the birth date alone does not begin an activation with this insurer at present.
    pub async fn code_required(&self, insurer: &str, policy: &Policy) -> Result<bool, Fault> {
        Ok(policy.activation == Activation::BirthdateAndCode || self.spray_alarm(insurer).await?)
    }

    /// Gives a person a fresh code in place of an older one; only its keyed hash is kept.
    pub(super) async fn issue_code(
        &self,
        tx: &mut Tx,
        person_id: &str,
        expires_at: Timestamp,
    ) -> Result<ActivationCode, Fault> {
        let code = ActivationCode::fresh(&self.entropy);
        let hash = self.code_hash(person_id, &code);
        activation_code::replace(tx, person_id, &hash, self.clock.now(), expires_at).await?;
        Ok(code)
    }

    /// Whether this is the live code of a person; none for who was given none. A wrong one is counted, an empty
    /// one is not, and the fifth voids the code.
    pub(super) async fn code_opens(&self, person_id: &str, typed: &str) -> Result<Option<bool>, Fault> {
        let tries = i64::from(!typed.is_empty());
        let found = activation_code::begin_attempt(&self.db, person_id, tries).await?;
        let Some(found) = found else { return Ok(None) };
        let right = self.code_hash(person_id, &ActivationCode::read(typed));
        let live = found.misses <= MOST_MISSES && !found.is_expired(self.clock.now());
        if tries == 0 || !live || !digest::equal(found.code_hash.as_bytes(), right.as_bytes()) {
            return Ok(Some(false));
        }
        activation_code::forgive(&self.db, person_id, &found.code_hash).await?;
        Ok(Some(true))
    }

    /// Whether a person was given a code, and whether it still opens.
    pub(super) async fn code_works(&self, person_id: &str) -> Result<Option<bool>, Fault> {
        let found = activation_code::of_person(&self.db, person_id).await?;
        Ok(found.map(|found| found.misses < MOST_MISSES && !found.is_expired(self.clock.now())))
    }

    fn code_hash(&self, person_id: &str, code: &ActivationCode) -> String {
        self.master.mac_base64url("activation-code", format!("{person_id}.{}", code.0).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        let code = ActivationCode::fresh(&Entropy::system());
        let printed = code.grouped();
        assert_eq!(printed.len(), 14);
        assert_eq!(ActivationCode::read(&printed), code);
        assert_eq!(ActivationCode::read(&printed.to_lowercase()), code);
        assert_eq!(ActivationCode::read(&format!(" {} ", printed.replace('-', "ー"))), code);
        let wide: String = printed.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        assert_eq!(ActivationCode::read(&wide), code);
        assert_ne!(code, ActivationCode::fresh(&Entropy::system()));
        assert_eq!(format!("{code:?}"), "ActivationCode(***)");
        assert_eq!(ActivationCode::read(&"あ".repeat(1_000)).0, "");
    }
}
