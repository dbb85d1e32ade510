//! Clients that register themselves (RFC 7591) and manage what they registered (RFC 7592).

use std::time::Duration;

use super::{
    Client, Metadata,
    secret::{self, StoredSecret},
};
use crate::{
    audit::{self, Event},
    clock::{Entropy, Timestamp},
    crypto::{MasterKey, digest},
    storage::{
        Db, StorageError, client_registration as table,
        initial_access_token::{self, InitialAccessToken},
    },
};

/// How long the registration access token of before still works, because the answer that carried the new one
/// may have been lost.
const LOST_RESPONSE: Duration = Duration::from_secs(60);

/// What registering needs.
#[derive(Clone, Copy)]
pub struct Registrar<'a> {
    /// Durable records.
    pub db: &'a Db,
    /// The master key.
    pub master: &'a MasterKey,
    /// Chance.
    pub entropy: &'a Entropy,
    /// The present.
    pub now: Timestamp,
}

/// A client with the secrets that are told only now.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its new secret, if it got one.
    pub secret: Option<String>,
    /// The token that manages it.
    pub registration_access_token: String,
}

/// Makes an initial access token and gives it with its text, which is shown once.
pub async fn create_initial_access_token(
    by: Registrar<'_>,
    note: String,
    uses: i64,
    life: Duration,
) -> Result<(InitialAccessToken, String), StorageError> {
    let text = by.entropy.secret();
    let token = InitialAccessToken {
        id: by.entropy.id(),
        token_hash: digest::sha256_base64url(&text),
        note,
        uses_left: uses,
        created_at: by.now.millis(),
        expires_at: by.now.plus(life).millis(),
        revoked_at: None,
    };
    initial_access_token::insert(by.db, &token).await?;
    Ok((token, text))
}

/// The id of the initial access token with this text, if it would let a client in now.
pub async fn initial_access(by: Registrar<'_>, text: &str) -> Result<Option<String>, StorageError> {
    initial_access_token::usable(by.db, &digest::sha256_base64url(text), by.now).await
}

/// Registers a client for the holder of an initial access token, or for anyone; `None` if the token was
/// spent meanwhile. The metadata must have been validated.
pub async fn register(
    by: Registrar<'_>,
    initial: Option<&str>,
    metadata: Metadata,
) -> Result<Option<Registered>, StorageError> {
    let Registrar { db, master, entropy, now } = by;
    let mut client = Client::new(entropy.id(), metadata, now);
    let secret = client.add_secret(master, entropy, now);
    let (registration_access_token, stored) = secret::generate(entropy, now);
    let mut tx = db.begin().await?;
    if let Some(initial) = initial
        && !initial_access_token::spend(&mut tx, initial, now).await?
    {
        return Ok(None);
    }
    client.insert(&mut tx, now).await?;
    table::insert(&mut tx, &client.id, &written(&[stored]), initial, now).await?;
    let detail = serde_json::json!({ "initial_access_token": initial });
    let event = acted("client.registered", &client.id)
        .with_insurer(client.metadata.insurer.as_deref())
        .with_detail(detail);
    audit::record(&mut tx, entropy, now, event).await?;
    tx.commit().await?;
    Ok(Some(Registered { client, secret, registration_access_token }))
}

/// The client that a registration access token manages; `None` for any other token, and for a client that
/// an operator disabled.
pub async fn managed(
    by: Registrar<'_>,
    client_id: &str,
    token: &str,
) -> Result<Option<Client>, StorageError> {
    let Some(client) = Client::find(by.db, client_id).await? else { return Ok(None) };
    let Some(stored) = table::tokens(by.db, client_id).await? else { return Ok(None) };
    let valid = secret::verify(&read(client_id, &stored)?, token, by.now);
    Ok(valid.then_some(client))
}

/// Stores changed metadata and gives a new registration access token; the one of before works a minute
/// longer. A client whose new method takes a secret that it lacks gets one. `None` if somebody else changed
/// or deleted it meanwhile.
pub async fn update(
    by: Registrar<'_>,
    mut client: Client,
    metadata: Metadata,
) -> Result<Option<Registered>, StorageError> {
    let Registrar { db, master, entropy, now } = by;
    client.metadata = metadata;
    let secret = client.settle_secrets(master, entropy, now);
    let (registration_access_token, fresh) = secret::generate(entropy, now);
    let mut tx = db.begin().await?;
    let Some(before) = table::tokens(&mut tx, &client.id).await? else { return Ok(None) };
    let mut tokens = read(&client.id, &before)?;
    secret::retire(&mut tokens, now, LOST_RESPONSE);
    tokens.push(fresh);
    let changed = table::replace_tokens(&mut tx, &client.id, &before, &written(&tokens)).await?
        && client.save(&mut tx, now).await?;
    if !changed {
        return Ok(None);
    }
    let event = acted("client.updated", &client.id).with_insurer(client.metadata.insurer.as_deref());
    audit::record(&mut tx, entropy, now, event).await?;
    tx.commit().await?;
    Ok(Some(Registered { client, secret, registration_access_token }))
}

/// Deletes a client that registered itself; its tokens are worth nothing from now on.
pub async fn delete(by: Registrar<'_>, client: &Client) -> Result<(), StorageError> {
    let mut tx = by.db.begin().await?;
    if client.delete(&mut tx).await? {
        let event = acted("client.deleted", &client.id).with_insurer(client.metadata.insurer.as_deref());
        audit::record(&mut tx, by.entropy, by.now, event).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn acted<'a>(action: &'static str, client_id: &'a str) -> Event<'a> {
    Event { actor: format!("client:{client_id}"), ..Event::system(action) }.with_client(Some(client_id))
}

fn written(tokens: &[StoredSecret]) -> String {
    serde_json::to_string(tokens).unwrap_or_default()
}

fn read(client_id: &str, tokens: &str) -> Result<Vec<StoredSecret>, StorageError> {
    serde_json::from_str(tokens).map_err(|error| StorageError::Impossible {
        table: "client_registration",
        column: "tokens",
        row: client_id.to_owned(),
        reason: error.to_string(),
    })
}
