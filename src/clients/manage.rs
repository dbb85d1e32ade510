//! What operators do to relying parties: register, change, give another secret, disable, delete. Console, API and
//! command line call the same functions. Each writes the client and its line of the audit in one transaction; the
//! names of these lines begin with `client.`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Client, Metadata, MetadataError, Supported, metadata::API_SCOPE, registration::Registrar, sector,
};
use crate::{
    audit::{self, Act},
    clock::Timestamp,
    config::Insurer,
    egress::Egress,
    storage::{Position, StorageError, Tx, client as table},
};

/// Longest time that an old secret works beside a new one.
pub const LONGEST_OVERLAP: Duration = Duration::from_secs(90 * 24 * 3600);
/// Characters of a `client_id` that an operator chooses, at most.
const LONGEST_ID: usize = 100;
/// Rows that a search looks at in one go.
const BATCH: i64 = 200;

/// The rules of relying parties, and what they go by.
#[derive(Clone, Copy)]
pub struct Clients<'a> {
    /// Storage, master key, chance and the present.
    pub registrar: Registrar<'a>,
    /// What a client can ask for.
    pub supported: Supported<'a>,
    /// Whose members sign in.
    pub insurers: &'a [Insurer],
    /// The way out to the servers of relying parties.
    pub egress: &'a Egress,
}

/// Why an act is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A field of the metadata breaks a rule.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The `client_id` is not of the form that operators may choose.
    #[error("client_id must be 1 to {LONGEST_ID} letters, digits, dots, hyphens, tildes and underscores")]
    Id,
    /// There is a client with this `client_id`.
    #[error("there is a client with this client_id already")]
    IdTaken,
    /// Somebody else changed or deleted the client since it was read.
    #[error("the client was changed or deleted by somebody else meanwhile; nothing was changed")]
    Changed,
    /// It proves itself otherwise, or not at all.
    #[error("the client has no secret: it proves itself otherwise")]
    NoSecret,
    /// No other secret than the newest works.
    #[error("there is no older secret that works")]
    NoOldSecret,
    /// Longer than [`LONGEST_OVERLAP`].
    #[error("an old secret works 90 days beside a new one at most")]
    Overlap,
    /// It is so already.
    #[error("it is so already")]
    Already,
    /// A program of the operators' API is worth as much as its scopes: whoever may not give these may not
    /// take it over either.
    #[error("the client works with the operators' API; it is changed on the machine alone")]
    Api,
    /// Only a disabled client is deleted.
    #[error("the client is enabled; disabling it comes first")]
    Enabled,
}

/// What becomes of an act; a fault of the storage aside.
pub type Outcome<T> = Result<Result<T, Refused>, StorageError>;

/// A client with a secret that is told only now.
#[derive(Debug)]
pub struct Done {
    /// The client as it is now.
    pub client: Client,
    /// Its new secret, if it got one.
    pub secret: Option<String>,
}

/// The place in the list that stands in a URL: a `client_id` has any character that one may have (RFC 6749
/// appendix A.1).
pub fn position(text: &str) -> Option<Position> {
    Position::parse_if(text, |id| id.len() <= 200 && id.bytes().all(|b| matches!(b, 0x20..=0x7e)))
}

/// Which clients are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search<'a> {
    /// Part of a name or the beginning of a `client_id`; empty: every client.
    pub text: &'a str,
    /// Portal code of the one insurer whose clients count; none: all.
    pub insurer: Option<&'a str>,
}

impl Search<'_> {
    fn fits(&self, client: &Client) -> bool {
        let text = self.text.trim().to_lowercase();
        let names = client.metadata.translations.iter().filter(|(name, _)| name.starts_with("client_name#"));
        let mut names = names.map(|(_, name)| name).chain([&client.metadata.client_name]);
        let own = self.insurer.is_none_or(|code| client.metadata.insurer.as_deref() == Some(code));
        own && (client.id.to_lowercase().starts_with(&text)
            || names.any(|name| name.to_lowercase().contains(&text)))
    }
}

/// Whether an operator may choose it: it needs no escaping anywhere.
fn is_plain_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let kept = id == "new" || id.bytes().all(|b| b == b'.'); // by the console, and by URLs
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain) && !kept
}

impl Clients<'_> {
    /// The newest `limit` clients that fit, after those that `after` ended with. Clients are few, so all that
    /// do not fit are read along.
    pub async fn search(
        &self,
        search: Search<'_>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Client>, StorageError> {
        let mut from = after.cloned().unwrap_or(Position { at: i64::MAX, id: String::new() });
        let mut found = Vec::new();
        loop {
            let rows = table::page(self.registrar.db, (from.at, &from.id), BATCH).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            from = Position { at: last.created_at, id: last.id.clone() };
            for row in rows {
                let client = Client::try_from(row)?;
                if search.fits(&client) {
                    found.push(client);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
    }

    /// Checks metadata by every rule, and the sector document that it may name.
    pub async fn check(&self, metadata: &Metadata) -> Result<(), MetadataError> {
        metadata.validate(&self.supported)?;
        let known = |code: &String| self.insurers.iter().any(|insurer| insurer.code == *code);
        if !metadata.insurer.as_ref().is_none_or(known) {
            return Err(MetadataError::new("insurer", "no insurer of the configuration has this code"));
        }
        sector::check(self.egress, metadata).await
    }

    /// Whether whoever acts here may change the client: not one that can do what they cannot give.
    fn may_change(&self, client: &Client) -> Result<(), Refused> {
        let gives = self.supported.scopes.iter().any(|scope| scope.starts_with(API_SCOPE));
        if gives || !client.metadata.is_for_api() { Ok(()) } else { Err(Refused::Api) }
    }

    /// Registers a client, by a `client_id` of the operator's choice or a random one. Its secret, if it has one,
    /// is told now and never again.
    pub async fn create(&self, id: Option<String>, metadata: Metadata, act: Act<'_>) -> Outcome<Done> {
        let Registrar { db, master, entropy, now } = self.registrar;
        if !id.as_deref().is_none_or(is_plain_id) {
            return Ok(Err(Refused::Id));
        }
        if let Err(error) = self.check(&metadata).await {
            return Ok(Err(error.into()));
        }
        let mut tx = db.begin().await?;
        let (client, secret) = match Client::create(&mut tx, master, entropy, now, id, metadata).await {
            Err(error) if error.is_conflict() => return Ok(Err(Refused::IdTaken)),
            created => created?,
        };
        self.record(&mut tx, &client, act, "client.created", Value::Null).await?;
        tx.commit().await?;
        Ok(Ok(Done { client, secret }))
    }

    /// Replaces what a client registered. One whose method came to need a secret gets one.
    pub async fn update(&self, client: &Client, metadata: Metadata, act: Act<'_>) -> Outcome<Done> {
        let Registrar { master, entropy, now, .. } = self.registrar;
        let fields = client.metadata.differences(&metadata);
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        if fields.is_empty() {
            return Ok(Err(Refused::Already));
        }
        if let Err(error) = self.check(&metadata).await {
            return Ok(Err(error.into()));
        }
        let mut changed = Client { metadata, ..client.clone() };
        let secret = changed.settle_secrets(master, entropy, now);
        let detail = json!({ "fields": fields });
        Ok(self.save(changed, act, "client.updated", detail).await?.map(|client| Done { client, secret }))
    }

    /// Gives a client a new secret, which is told now and never again; those of before work for `overlap` longer.
    pub async fn rotate_secret(&self, client: &Client, overlap: Duration, act: Act<'_>) -> Outcome<Done> {
        let Registrar { master, entropy, now, .. } = self.registrar;
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        if overlap > LONGEST_OVERLAP {
            return Ok(Err(Refused::Overlap));
        }
        let mut changed = client.clone();
        let Some(secret) = changed.rotate_secret(master, entropy, now, overlap) else {
            return Ok(Err(Refused::NoSecret));
        };
        let detail = json!({ "overlap_hours": overlap.as_secs() / 3600 });
        let saved = self.save(changed, act, "client.secret_rotated", detail).await?;
        Ok(saved.map(|client| Done { client, secret: Some(secret) }))
    }

    /// Ends the secrets of before the newest at once.
    pub async fn end_old_secrets(&self, client: &Client, act: Act<'_>) -> Outcome<Client> {
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        let mut changed = client.clone();
        if !changed.end_old_secrets(self.registrar.now) {
            return Ok(Err(Refused::NoOldSecret));
        }
        self.save(changed, act, "client.secret_ended", Value::Null).await
    }

    /// Lets nobody sign in to a client any more; its tokens are worth nothing while that lasts.
    pub async fn disable(&self, client: &Client, act: Act<'_>) -> Outcome<Client> {
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        let disabled_at = Some(self.registrar.now);
        self.switch(client, disabled_at, (act, "client.disabled")).await
    }

    /// Lets members sign in to a disabled client again.
    pub async fn enable(&self, client: &Client, act: Act<'_>) -> Outcome<Client> {
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        self.switch(client, None, (act, "client.enabled")).await
    }

    async fn switch(
        &self,
        client: &Client,
        disabled_at: Option<Timestamp>,
        (act, action): (Act<'_>, &'static str),
    ) -> Outcome<Client> {
        if client.disabled_at.is_some() == disabled_at.is_some() {
            return Ok(Err(Refused::Already));
        }
        self.save(Client { disabled_at, ..client.clone() }, act, action, Value::Null).await
    }

    /// Deletes a disabled client, and what members allowed it, for ever.
    pub async fn delete(&self, client: &Client, act: Act<'_>) -> Outcome<()> {
        if let Err(refused) = self.may_change(client) {
            return Ok(Err(refused));
        }
        if client.disabled_at.is_none() {
            return Ok(Err(Refused::Enabled));
        }
        let mut tx = self.registrar.db.begin().await?;
        if !client.delete(&mut tx).await? {
            return Ok(Err(Refused::Changed));
        }
        let name = json!({ "name": client.metadata.client_name });
        self.record(&mut tx, client, act, "client.deleted", name).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Writes a changed client over the state that it was made from.
    async fn save(
        &self,
        mut changed: Client,
        act: Act<'_>,
        action: &'static str,
        detail: Value,
    ) -> Outcome<Client> {
        let mut tx = self.registrar.db.begin().await?;
        if !changed.save(&mut tx, self.registrar.now).await? {
            return Ok(Err(Refused::Changed));
        }
        self.record(&mut tx, &changed, act, action, detail).await?;
        tx.commit().await?;
        Ok(Ok(changed))
    }

    async fn record(
        &self,
        tx: &mut Tx,
        client: &Client,
        act: Act<'_>,
        action: &'static str,
        detail: Value,
    ) -> Result<(), StorageError> {
        let event = act.event(action, detail).with_client(Some(&client.id));
        let event = event.with_insurer(client.metadata.insurer.as_deref());
        audit::record(tx, self.registrar.entropy, self.registrar.now, event).await
    }
}

#[cfg(test)]
mod tests;
