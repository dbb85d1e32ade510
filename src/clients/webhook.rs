//! Webhooks: systems that operators name, and that are told of what happens by signed messages in the form of
//! the Standard Webhooks specification (<https://www.standardwebhooks.com>, 1.0.0), which receivers verify with
//! its libraries.

use std::{fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock::{Entropy, Timestamp},
    crypto::{MasterKey, SealError, digest},
    storage::{On, StorageError, webhook as table, webhook::WebhookRow},
};

/// Purpose under which secrets are sealed; each is bound to its webhook.
const PURPOSE: &str = "webhook-secret";
/// Purpose of the keyed hash that names a message to its receiver.
const MESSAGE: &str = "webhook-id";
/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// How long the secret of before signs beside the new one.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// What webhooks are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A first-time registration was completed.
    Activated,
    /// A registration was wiped (初期化).
    Reset,
    /// A member may not use the service any more.
    EligibilityLost,
    /// An app was registered, changed, disabled or removed.
    ClientChanged,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Activated, Self::Reset, Self::EligibilityLost, Self::ClientChanged];

    /// Name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activated => "member.activated",
            Self::Reset => "member.reset",
            Self::EligibilityLost => "member.eligibility_lost",
            Self::ClientChanged => "client.changed",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Name of the message that an operator sends as a test.
pub const TEST: &str = "webhook.test";

/// A secret, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it signs no more; absent: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A system that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Names it in URLs and in the audit.
    pub id: String,
    /// What operators call it.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What it asked for, in the order of [`EventKind::ALL`].
    pub events: Vec<EventKind>,
    /// Portal code of the one insurer; none: of every insurer.
    pub insurer: Option<String>,
    /// The client whose names for members it gets; none: the provider's own subjects.
    pub client_id: Option<String>,
    /// Its secrets, the newest last.
    pub secrets: Vec<StoredSecret>,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A message, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-id`: the same at every attempt.
    pub id: String,
    /// `webhook-timestamp`: seconds since the epoch, of this attempt.
    pub timestamp: String,
    /// `webhook-signature`: one for each secret, a space between.
    pub signature: String,
    /// The JSON that was signed.
    pub body: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The webhook of this id.
    pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Self>, StorageError> {
        table::find(on, id).await?.map(Self::try_from).transpose()
    }

    /// Those of an insurer (none: every one), the oldest first.
    pub async fn list(on: impl Into<On<'_>>, insurer: Option<&str>) -> Result<Vec<Self>, StorageError> {
        let rows = table::list(on, insurer.unwrap_or_default()).await?;
        rows.into_iter().map(Self::try_from).collect()
    }

    /// Adds it.
    pub async fn insert(&self, on: impl Into<On<'_>>) -> Result<(), StorageError> {
        table::insert(on, &self.row()).await
    }

    /// Stores what changed since it was read; false when somebody else changed it meanwhile.
    pub async fn save(&mut self, on: impl Into<On<'_>>, now: Timestamp) -> Result<bool, StorageError> {
        let before = self.updated_at.millis();
        // Two changes within a millisecond are two versions all the same.
        self.updated_at = Timestamp::from_millis(now.millis().max(before + 1));
        table::update(on, &self.row(), before).await
    }

    /// Gives it a new secret and lets those of before sign a while longer. The text is shown once.
    pub fn rotate_secret(&mut self, master: &MasterKey, entropy: &Entropy, now: Timestamp) -> String {
        let end = now.plus(OVERLAP);
        for secret in &mut self.secrets {
            secret.expires_at = Some(secret.expires_at.map_or(end, |before| before.min(end)));
        }
        self.secrets.retain(|secret| secret.signs(now));
        // 256 bits; the specification asks for 192 to 512.
        let key = Zeroizing::new(entropy.bytes::<32>());
        let sealed = master.seal(PURPOSE, &self.id, key.as_slice(), entropy);
        self.secrets.push(StoredSecret { sealed, created_at: now, expires_at: None });
        format!("{PREFIX}{}", BASE64_STANDARD.encode(key.as_slice()))
    }

    /// Number of secrets that sign.
    pub fn secrets_in_use(&self, now: Timestamp) -> usize {
        self.secrets.iter().filter(|secret| secret.signs(now)).count()
    }

    /// The message of a delivery, signed with every secret that is in use. One that does not open, for the master key
    /// was lost, is left out beside one that does.
    pub fn sign(
        &self,
        delivery: &str,
        body: &Value,
        master: &MasterKey,
        now: Timestamp,
    ) -> Result<Signed, SealError> {
        // The delivery may be named after a member whom the receiver knows by another name.
        let id = format!("msg_{}", master.mac_base64url(MESSAGE, delivery.as_bytes()));
        let (timestamp, body) = (now.seconds().to_string(), body.to_string());
        let signed = format!("{id}.{timestamp}.{body}");
        let mut signatures = Vec::new();
        for secret in self.secrets.iter().rev().filter(|secret| secret.signs(now)) {
            let Ok(key) = master.open(PURPOSE, &self.id, &secret.sealed).map(Zeroizing::new) else {
                continue;
            };
            let mac = digest::hmac_sha256(&key, signed.as_bytes());
            signatures.push(format!("v1,{}", BASE64_STANDARD.encode(mac)));
        }
        if signatures.is_empty() {
            return Err(SealError);
        }
        Ok(Signed { id, timestamp, signature: signatures.join(" "), body })
    }

    fn row(&self) -> WebhookRow {
        WebhookRow {
            id: self.id.clone(),
            name: self.name.clone(),
            url: self.url.clone(),
            events: self.events.iter().fold(" ".to_owned(), |names, kind| names + kind.name() + " "),
            insurer: self.insurer.clone(),
            client_id: self.client_id.clone(),
            secrets: serde_json::to_string(&self.secrets).unwrap_or_default(),
            disabled_at: self.disabled_at.map(Timestamp::millis),
            created_at: self.created_at.millis(),
            updated_at: self.updated_at.millis(),
        }
    }
}

impl StoredSecret {
    fn signs(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StorageError;

    fn try_from(row: WebhookRow) -> Result<Self, StorageError> {
        let secrets = serde_json::from_str(&row.secrets).map_err(|error| StorageError::Impossible {
            table: "webhook",
            column: "secrets",
            row: row.id.clone(),
            reason: format!("not the expected JSON ({:?})", error.classify()),
        })?;
        Ok(Self {
            events: row.events.split_whitespace().filter_map(EventKind::parse).collect(),
            id: row.id,
            name: row.name,
            url: row.url,
            insurer: row.insurer,
            client_id: row.client_id,
            secrets,
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

/// What a message says: the type, when it happened, and identifiers alone.
pub fn body(name: &str, at: Timestamp, data: &Value) -> Value {
    let at = jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.strftime("%FT%T%.3fZ").to_string());
    json!({ "type": name, "timestamp": at, "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        let now = Timestamp::from_millis(1);
        Webhook {
            id: "w".to_owned(),
            name: "基幹システム".to_owned(),
            url: "https://hook.example.jp/".to_owned(),
            events: vec![EventKind::Activated, EventKind::EligibilityLost],
            insurer: None,
            client_id: None,
            secrets: Vec::new(),
            disabled_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn a_row_says_what_the_webhook_is() {
        let one = webhook();
        assert_eq!(one.row().events, " member.activated member.eligibility_lost ");
        assert_eq!(Webhook::try_from(one.row()).unwrap(), one);
        let broken = WebhookRow { secrets: "whsec_x".to_owned(), ..one.row() };
        let error = Webhook::try_from(broken).unwrap_err().to_string();
        assert!(error.contains("webhook.secrets of row w") && !error.contains("whsec_x"), "{error}");
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(EventKind::parse(TEST), None);
    }

    #[test]
    fn both_secrets_sign_during_a_rotation_and_the_old_one_not_after_it() {
        let (master, entropy) = (MasterKey::from_bytes([7; 32]), Entropy::system());
        let mut one = webhook();
        let first = one.rotate_secret(&master, &entropy, Timestamp::from_millis(1_000));
        let key = BASE64_STANDARD.decode(first.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(key.len(), 32);
        assert!(!serde_json::to_string(&one.secrets).unwrap().contains(&first[6..]));
        let now = Timestamp::from_millis(2_000);
        one.rotate_secret(&master, &entropy, now);
        let body = json!({ "type": "x" });
        let signed = one.sign("w.e", &body, &master, now).unwrap();
        let both: Vec<&str> = signed.signature.split(' ').collect();
        assert_eq!(both.len(), 2);
        let text = format!("{}.2.{}", signed.id, signed.body);
        let expected = BASE64_STANDARD.encode(digest::hmac_sha256(&key, text.as_bytes()));
        assert_eq!(both[1], format!("v1,{expected}"));
        assert!(signed.id.starts_with("msg_") && !signed.id.contains("w.e"));
        let later = now.plus(OVERLAP);
        assert_eq!((one.secrets_in_use(now), one.secrets_in_use(later)), (2, 1));
        assert!(!one.sign("w.e", &body, &master, later).unwrap().signature.contains(' '));
        let fresh = MasterKey::from_bytes([8; 32]);
        assert!(one.sign("w.e", &body, &fresh, now).is_err());
        one.rotate_secret(&fresh, &entropy, now);
        assert!(!one.sign("w.e", &body, &fresh, now).unwrap().signature.contains(' '), "the new one alone");
    }

    #[test]
    fn a_body_says_when_in_utc() {
        let said = body("member.reset", Timestamp::from_millis(1_795_396_500_000), &json!({ "sub": "s" }));
        assert_eq!(said["timestamp"], "2026-11-23T01:15:00.000Z");
        assert_eq!((&said["type"], &said["data"]["sub"]), (&json!("member.reset"), &json!("s")));
    }
}
