//! The second factor: time-based one-time passwords (RFC 6238), and recovery codes for a lost phone.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use totp_rs::{Builder, Totp};

use super::{Operator, Operators};
use crate::{
    clock::Entropy,
    fault::Fault,
    members::login_id::fold_numeric,
    storage::{Tx, operator_credential},
};

/// Bytes of a secret, as many as its HMAC has (RFC 4226 §4).
const SECRET: usize = 20;
/// Purpose of the key under which secrets lie sealed.
const SEALED: &str = "operator-totp";
/// Name that authenticator apps show.
const ISSUER: &str = "KENPOS";
/// Recovery codes of a set.
const CODES: usize = 10;
/// Characters of a recovery code, 5 bits each.
const CODE_LENGTH: usize = 16;
/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of input that are looked at.
const MOST_TYPED: usize = 100;

/// A second factor, as it is set up and checked.
pub struct Factor(Totp);

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Factor(***)")
    }
}

impl Factor {
    fn new(secret: [u8; SECRET], email: &str) -> Result<Self, Fault> {
        // The label of the URI has a colon of its own.
        let account = email.replace(':', "_");
        let builder = Builder::new().with_secret(secret).with_account_name(account).with_issuer(Some(ISSUER));
        builder.build().map(Self).map_err(|error| Fault::internal(error.to_string()))
    }

    /// The URI that authenticator apps read from a QR code.
    pub fn uri(&self) -> Result<String, Fault> {
        self.0.to_url().map_err(|error| Fault::internal(error.to_string()))
    }

    /// The secret in groups of four, to be typed.
    pub fn secret_text(&self) -> String {
        let text = self.0.secret().to_base32();
        let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        groups.join(" ")
    }

    /// The code of an instant, in seconds since the epoch.
    pub fn code_at(&self, seconds: u64) -> String {
        self.0.generate(seconds).to_string()
    }

    /// The time step whose code was typed: this one, the one before or the next.
    fn step_of(&self, typed: &str, seconds: i64) -> Option<i64> {
        let step = self.0.check(typed, u64::try_from(seconds).unwrap_or(0))?;
        i64::try_from(step).ok()
    }
}

/// What was typed as the second factor.
#[derive(Clone, Debug)]
pub struct TypedCode(SecretString);

impl TypedCode {
    /// In any width and case, with or without spaces and hyphens.
    pub fn read(text: &str) -> Self {
        let start: String = text.chars().take(MOST_TYPED).collect();
        let folded = fold_numeric(&start);
        let kept: String = folded.chars().filter(char::is_ascii_alphanumeric).collect();
        Self(kept.to_ascii_uppercase().into())
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }
}

impl Operators {
    /// A factor for a setup or a change: the same for the same `seed`, a secret that dies with it, so that a
    /// page that is read again shows the same QR code and nothing is stored before the code was proved.
    pub fn factor_from(&self, seed: &str, email: &str) -> Result<Factor, Fault> {
        let bytes = self.master.mac("operator-totp-seed", seed.as_bytes());
        let mut secret = [0; SECRET];
        secret.copy_from_slice(&bytes[..SECRET]);
        Factor::new(secret, email)
    }

    /// What is stored of a factor.
    pub(super) fn seal_factor(&self, id: &str, factor: &Factor) -> String {
        self.master.seal(SEALED, id, factor.0.secret().as_bytes(), &self.entropy)
    }

    /// The time step of a typed code, if it is one of a factor that is being set up.
    pub(super) fn proves(&self, factor: &Factor, typed: &TypedCode) -> Option<i64> {
        factor.step_of(typed.0.expose_secret(), self.clock.now().seconds())
    }

    /// Whether the typed code is the operator's second factor, and uses it up. The same work is done whether
    /// or not there is an operator or the code is of the right kind.
    pub(super) async fn use_code(
        &self,
        tx: &mut Tx,
        operator: Option<&Operator>,
        typed: &TypedCode,
    ) -> Result<bool, Fault> {
        let id = operator.map_or("", |operator| operator.id.as_str());
        let sealed = operator.and_then(|operator| operator.totp_sealed.as_deref());
        // Sealed under a master key that was lost, it proves nothing, and its operator needs another.
        let opened = sealed.and_then(|sealed| match self.master.open(SEALED, id, sealed) {
            Ok(secret) => Some(secret),
            Err(error) => {
                tracing::error!(operator = id, %error, "a second factor cannot be used: kenpos-idp operator reset");
                None
            }
        });
        let has_factor = opened.is_some();
        let secret: [u8; SECRET] = opened
            .unwrap_or_else(|| vec![0; SECRET])
            .try_into()
            .map_err(|_| Fault::internal("a secret of another size"))?;
        let typed = typed.0.expose_secret();
        let step = Factor::new(secret, ISSUER)?.step_of(typed, self.clock.now().seconds());
        let by_app = operator_credential::use_step(&mut *tx, id, step.unwrap_or(-1)).await?;
        let hash = self.recovery_hash(id, typed);
        let by_paper = operator_credential::use_recovery_code(tx, id, &hash, self.clock.now()).await?;
        Ok(has_factor && (by_app || by_paper))
    }

    /// A fresh set of recovery codes in place of the one before; told once.
    pub(super) async fn issue_recovery_codes(&self, tx: &mut Tx, id: &str) -> Result<Vec<String>, Fault> {
        let codes: Vec<String> = (0..CODES).map(|_| fresh_code(&self.entropy)).collect();
        let hashes: Vec<String> = codes.iter().map(|code| self.recovery_hash(id, code)).collect();
        operator_credential::replace_recovery_codes(tx, id, &hashes, self.clock.now()).await?;
        Ok(codes.iter().map(|code| grouped(code)).collect())
    }

    fn recovery_hash(&self, id: &str, code: &str) -> String {
        self.master.mac_base64url("operator-recovery-code", format!("{id}.{code}").as_bytes())
    }
}

fn fresh_code(entropy: &Entropy) -> String {
    let letters = entropy.bytes::<CODE_LENGTH>();
    letters.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn grouped(code: &str) -> String {
    let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the last 6 of 8 digits.
        let factor = Factor::new(*b"12345678901234567890", "a@example.jp").unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(factor.code_at(seconds), code);
            let now = i64::try_from(seconds).unwrap();
            assert_eq!(factor.step_of(code, now), Some(now / 30));
            assert_eq!(factor.step_of(code, now + 30), Some(now / 30), "the one before");
            assert_eq!(factor.step_of(code, now + 90), None);
        }
        assert_eq!(factor.step_of("", 59), None);
        assert_eq!(factor.step_of("2870820", 59), None);
        assert!(factor.uri().unwrap().starts_with("otpauth://totp/KENPOS:a%40example.jp?secret="));
        assert_eq!(factor.secret_text().replace(' ', ""), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(format!("{factor:?}"), "Factor(***)");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let read = |text: &str| TypedCode::read(text).0.expose_secret().to_owned();
        assert_eq!(read(" １２３ ４５６ "), "123456");
        assert_eq!(read("abcd-efgh-2345-6789"), "ABCDEFGH23456789");
        assert!(TypedCode::read(" - ").is_empty());
        let code = fresh_code(&Entropy::system());
        assert_eq!(read(&grouped(&code)), code);
        assert_eq!(format!("{:?}", TypedCode::read("123456")).find("123456"), None);
    }
}
