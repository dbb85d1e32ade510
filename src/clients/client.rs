//! A relying party: its metadata, its secrets, and whether it is enabled.

use std::{cmp::Reverse, time::Duration};

use super::{
    cache,
    metadata::Metadata,
    redirect_uri,
    secret::{self, StoredSecret},
    values::{ApplicationType, AuthMethod, Shown, SubjectType},
};
use crate::{
    clock::{Entropy, Timestamp},
    crypto::MasterKey,
    storage::{Db, On, Position, StorageError, Tx, client as table, client::ClientRow},
    texts::Locale,
};

/// A registered relying party.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What it registered.
    pub metadata: Metadata,
    /// Hashes of its secrets.
    pub secrets: Vec<StoredSecret>,
    /// When an operator disabled it.
    pub disabled_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Which state of it this is: each change makes it one more.
    pub version: i64,
}

impl Client {
    /// The enabled client of this `client_id`.
    pub async fn find(db: &Db, id: &str) -> Result<Option<Self>, StorageError> {
        Ok(Self::find_any(db, id).await?.filter(|client| client.disabled_at.is_none()))
    }

    /// The client of this `client_id`, enabled or not.
    pub async fn find_any(db: &Db, id: &str) -> Result<Option<Self>, StorageError> {
        // No client_id is longer or has other characters (RFC 6749 appendix A.1), and PostgreSQL refuses
        // a text with NUL.
        if id.is_empty() || id.len() > 200 || !id.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            return Ok(None);
        }
        table::find(db, id).await?.map(Self::try_from).transpose()
    }

    /// Every client, disabled ones too, oldest first.
    pub async fn list(db: &Db) -> Result<Vec<Self>, StorageError> {
        table::list(db).await?.into_iter().map(Self::try_from).collect()
    }

    /// A client that is not stored yet.
    pub const fn new(id: String, metadata: Metadata, now: Timestamp) -> Self {
        Self { id, metadata, secrets: Vec::new(), disabled_at: None, created_at: now, version: 1 }
    }

    /// Registers a client and gives it with its secret, which is shown once; clients that prove themselves
    /// with a key of their own, and public ones, have none. The metadata must have been validated.
    pub async fn create(
        on: impl Into<On<'_>>,
        master: &MasterKey,
        entropy: &Entropy,
        now: Timestamp,
        id: Option<String>,
        metadata: Metadata,
    ) -> Result<(Self, Option<String>), StorageError> {
        let id = id.unwrap_or_else(|| entropy.id());
        let mut client = Self::new(id, metadata, now);
        let text = client.add_secret(master, entropy, now);
        client.insert(on, now).await?;
        Ok((client, text))
    }

    /// Gives the client one more secret if its method takes one; not stored before [`Client::save`].
    pub fn add_secret(&mut self, master: &MasterKey, entropy: &Entropy, now: Timestamp) -> Option<String> {
        let method = self.metadata.token_endpoint_auth_method;
        let (text, mut stored) = method.has_secret().then(|| secret::generate(entropy, now))?;
        if method == AuthMethod::ClientSecretJwt {
            stored.seal(&text, master, &self.id, entropy);
        }
        self.secrets.push(stored);
        Some(text)
    }

    /// Makes the secrets those of its method: a method that takes none has none, and one that takes one
    /// gets a new one where none would work. Gives the text of a new one.
    pub fn settle_secrets(
        &mut self,
        master: &MasterKey,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Option<String> {
        let sealed = self.metadata.token_endpoint_auth_method == AuthMethod::ClientSecretJwt;
        if sealed {
            self.secrets.retain(|secret| secret.sealed.is_some());
        }
        if !self.metadata.token_endpoint_auth_method.has_secret() {
            self.secrets.clear();
        }
        for secret in &mut self.secrets {
            // What only `client_secret_jwt` needs is kept for it alone.
            secret.sealed = secret.sealed.take().filter(|_| sealed);
        }
        let works = self.secrets.iter().any(|secret| secret.is_valid(now));
        if works { None } else { self.add_secret(master, entropy, now) }
    }

    /// Its place in the list of clients.
    pub fn position(&self) -> Position {
        Position { at: self.created_at.millis(), id: self.id.clone() }
    }

    /// The sector of its subjects (OIDC Core §8.1), where they are pairwise.
    pub fn pairwise_sector(&self) -> Option<String> {
        let pairwise = self.metadata.subject_type == SubjectType::Pairwise;
        self.metadata.sector_identifier().filter(|_| pairwise)
    }

    /// The secrets that work, the newest first.
    pub fn valid_secrets(&self, now: Timestamp) -> Vec<&StoredSecret> {
        let mut valid: Vec<_> = self.secrets.iter().filter(|secret| secret.is_valid(now)).collect();
        // The one that has no end is the newest even where the clock stood still.
        valid.sort_by_key(|secret| Reverse((secret.expires_at.is_none(), secret.created_at)));
        valid
    }

    /// Ends every secret but the newest; whether there was another that worked.
    pub fn end_old_secrets(&mut self, now: Timestamp) -> bool {
        let valid = self.valid_secrets(now);
        let several = valid.len() > 1;
        if let Some(newest) = valid.first().map(|secret| secret.hash.clone()) {
            self.secrets.retain(|secret| secret.hash == newest);
        }
        several
    }

    /// Gives the client a new secret and lets those of before work a while longer.
    pub fn rotate_secret(
        &mut self,
        master: &MasterKey,
        entropy: &Entropy,
        now: Timestamp,
        overlap: Duration,
    ) -> Option<String> {
        secret::retire(&mut self.secrets, now, overlap);
        self.add_secret(master, entropy, now)
    }

    // Whatever is written to the table is written by the three functions below, which say so to those who keep
    // clients in memory.

    /// Stores a client that is not there yet; [`StorageError::Conflict`] if its id is taken.
    pub async fn insert(&self, on: impl Into<On<'_>>, now: Timestamp) -> Result<(), StorageError> {
        let inserted = table::insert(on, &self.row(now)).await;
        cache::changed();
        inserted
    }

    /// Stores changed metadata or secrets over the state that they were made from; false when somebody else
    /// changed or deleted the client since.
    pub async fn save(&mut self, on: impl Into<On<'_>>, now: Timestamp) -> Result<bool, StorageError> {
        let saved = table::update(on, &self.row(now)).await?;
        cache::changed();
        self.version += i64::from(saved);
        Ok(saved)
    }

    /// Deletes it for ever; its tokens are worth nothing from now on. False if it is gone already.
    pub async fn delete(&self, tx: &mut Tx) -> Result<bool, StorageError> {
        let deleted = table::delete(tx, &self.id).await;
        cache::changed();
        deleted
    }

    fn row(&self, now: Timestamp) -> ClientRow {
        ClientRow {
            id: self.id.clone(),
            metadata: serde_json::to_string(&self.metadata).unwrap_or_default(),
            secrets: serde_json::to_string(&self.secrets).unwrap_or_default(),
            disabled_at: self.disabled_at.map(Timestamp::millis),
            created_at: self.created_at.millis(),
            updated_at: now.millis(),
            version: self.version,
        }
    }

    /// The registered redirect URI that matches, in the form that was requested.
    pub fn redirect_uri_matches(&self, requested: &str) -> bool {
        let native = self.metadata.application_type == ApplicationType::Native;
        self.metadata.redirect_uris.iter().any(|known| redirect_uri::matches(known, requested, native))
    }

    /// Whether members of the insurer with this portal code may sign in to it.
    pub fn admits(&self, insurer: &str) -> bool {
        self.metadata.insurer.as_deref().is_none_or(|only| only == insurer)
    }

    /// Whether members may be sent there after they signed out.
    pub fn post_logout_redirect_uri_matches(&self, requested: &str) -> bool {
        self.metadata.post_logout_redirect_uris.iter().any(|known| known == requested)
    }

    /// Whether `presented` is one of its valid secrets.
    pub fn verify_secret(&self, presented: &str, now: Timestamp) -> bool {
        secret::verify(&self.secrets, presented, now)
    }

    /// Its name in the language of the reader.
    pub fn name_in(&self, locale: Locale) -> &str {
        self.metadata.shown(Shown::Name, locale).unwrap_or(&self.metadata.client_name)
    }

    /// Where a member who ended up elsewhere goes on: the page that starts a login, or the home page.
    pub fn way_back(&self) -> Option<&str> {
        self.metadata.initiate_login_uri.as_deref().or(self.metadata.client_uri.as_deref())
    }

    /// Origins that a form on our pages may lead to by redirection, for the `form-action` of the CSP.
    pub fn form_targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = self
            .metadata
            .redirect_uris
            .iter()
            .chain(&self.metadata.post_logout_redirect_uris)
            .filter_map(|uri| url::Url::parse(uri).ok())
            .map(|url| match url.origin() {
                origin if origin.is_tuple() => origin.ascii_serialization(),
                _ => format!("{}:", url.scheme()),
            })
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = StorageError;

    fn try_from(row: ClientRow) -> Result<Self, StorageError> {
        let impossible = |column, error: serde_json::Error| StorageError::Impossible {
            table: "client",
            column,
            row: row.id.clone(),
            reason: error.to_string(),
        };
        Ok(Self {
            metadata: serde_json::from_str(&row.metadata).map_err(|error| impossible("metadata", error))?,
            secrets: serde_json::from_str(&row.secrets).map_err(|error| impossible("secrets", error))?,
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            version: row.version,
            id: row.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            client_name: "健康アプリ".to_owned(),
            redirect_uris: vec!["https://app.example.com/callback".to_owned()],
            scope: "openid profile".to_owned(),
            ..Metadata::default()
        }
    }

    #[tokio::test]
    async fn a_disabled_client_is_not_found_and_a_secret_is_stored_as_its_hash() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let (now, master) = (Timestamp::from_millis(1), MasterKey::from_bytes([5; 32]));
        let (mut client, secret) =
            Client::create(&db, &master, &Entropy::system(), now, None, metadata()).await.unwrap();
        let secret = secret.unwrap();
        let found = Client::find(&db, &client.id).await.unwrap().unwrap();
        assert!(found.verify_secret(&secret, now));
        assert!(!table::find(&db, &client.id).await.unwrap().unwrap().secrets.contains(&secret));
        let mut slower = found;
        client.disabled_at = Some(now);
        assert!(client.save(&db, now).await.unwrap());
        assert_eq!(client.version, 2);
        assert!(!slower.save(&db, now).await.unwrap(), "nobody writes over what they have not seen");
        assert!(Client::find(&db, &client.id).await.unwrap().is_none());
        assert_eq!(Client::list(&db).await.unwrap().len(), 1);
    }
}
