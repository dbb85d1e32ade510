//! `/admin/api/v1/keys`: the signing keys.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::Page,
    problem::Problem,
    read::{Body, Id, Why, act, reason},
};
use crate::{
    crypto::KeyState, fault::Fault, oidc::signing::SigningError, operators::log::utc,
    storage::signing_key::KeyRecord,
};

#[derive(OpenApi)]
#[openapi(paths(list, rotate, retire))]
pub(super) struct Doc;

/// A signing key; never its private part.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKey {
    /// Key ID, as in tokens and at `/jwks`.
    pub kid: String,
    /// JWS algorithm.
    #[schema(example = "RS256")]
    pub alg: String,
    /// Where it is in its life.
    pub state: SigningKeyState,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it began to sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub activated_at: Option<String>,
    /// When it ceased to sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub retired_at: Option<String>,
}

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SigningKeyState {
    /// Published, and signs after the next rotation.
    Next,
    /// Signs.
    Active,
    /// Signs no more, and is published until what it signed has expired.
    Retired,
}

impl From<KeyRecord> for SigningKey {
    fn from(key: KeyRecord) -> Self {
        Self {
            kid: key.kid,
            alg: key.alg.name().to_owned(),
            state: match key.state {
                KeyState::Next => SigningKeyState::Next,
                KeyState::Active => SigningKeyState::Active,
                KeyState::Retired => SigningKeyState::Retired,
            },
            created_at: utc(key.created_at.millis()),
            activated_at: key.activated_at.map(|at| utc(at.millis())),
            retired_at: key.retired_at.map(|at| utc(at.millis())),
        }
    }
}

fn problem(error: SigningError) -> Problem {
    match error {
        SigningError::Raced => Problem::conflict("raced", error.to_string()),
        SigningError::Unknown => Problem::not_found(),
        SigningError::Storage(error) => Fault::from(error).into(),
        error => Fault::internal(error).into(),
    }
}

async fn all(caller: &Caller) -> Result<Json<Page<SigningKey>>, Problem> {
    let keys = caller.app().signing.list().await.map_err(problem)?;
    Ok(Json(Page { items: keys.into_iter().map(SigningKey::from).collect(), next: None }))
}

/// Lists the signing keys
///
/// By algorithm and age, all on one page.
#[utoipa::path(
    get, path = "/admin/api/v1/keys", tag = "Keys", operation_id = "listKeys",
    responses((status = 200, description = "The keys", body = Page<SigningKey>)),
)]
pub async fn list(caller: Caller) -> Result<Json<Page<SigningKey>>, Problem> {
    all(&caller).await
}

/// Rotates the signing keys
///
/// The next key of each algorithm signs from now on. Tokens that the one before signed stay valid. For clients that
/// reach every insurer.
#[utoipa::path(
    post, path = "/admin/api/v1/keys/rotate", tag = "Keys", operation_id = "rotateKeys",
    request_body = Why,
    responses((status = 200, description = "The keys", body = Page<SigningKey>)),
)]
pub async fn rotate(caller: Caller, Body(why): Body<Why>) -> Result<Json<Page<SigningKey>>, Problem> {
    caller.reach(None)?;
    let why = reason(&why.reason)?;
    caller.app().signing.rotate_by(act(&caller.actor, &why)).await.map_err(problem)?;
    all(&caller).await
}

/// Withdraws a signing key
///
/// At once: what it signed is refused from now on. For a key that became known, and for clients that reach every
/// insurer.
#[utoipa::path(
    post, path = "/admin/api/v1/keys/{kid}/retire", tag = "Keys", operation_id = "retireKey",
    params(("kid" = String, Path, description = "Key ID")),
    request_body = Why,
    responses((status = 200, description = "The keys that are left", body = Page<SigningKey>)),
)]
pub async fn retire(
    caller: Caller,
    Id(kid): Id,
    Body(why): Body<Why>,
) -> Result<Json<Page<SigningKey>>, Problem> {
    caller.reach(None)?;
    let why = reason(&why.reason)?;
    caller.app().signing.retire(&kid, act(&caller.actor, &why)).await.map_err(problem)?;
    all(&caller).await
}
