//! What is done to a relying party through the API: secrets, disable, enable, delete.

use std::time::Duration;

use axum::{Json, http::StatusCode};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    clients::{Client, ClientWithSecret, find, outcome, rules, told},
    guard::Caller,
    problem::Problem,
    read::{Body, Id, Why, act, reason},
};

#[derive(OpenApi)]
#[openapi(paths(rotate_secret, end_old_secrets, disable, enable, delete))]
pub(super) struct Doc;

/// Another secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// Hours that the old secret works beside the new one.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 2160, default = 24)]
    pub overlap_hours: u64,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "yearly rotation")]
    pub reason: String,
}

const fn a_day() -> u64 {
    24
}

/// Gives a relying party a new secret
///
/// The old one works beside it for the overlap. The answer is the only one that ever has the secret.
#[utoipa::path(
    post, path = "/admin/api/v1/clients/{client}/secret", tag = "Clients", operation_id = "rotateClientSecret",
    params(("client" = String, Path, description = "`client_id`")),
    request_body = NewSecret,
    responses((status = 200, description = "The relying party with its new secret", body = ClientWithSecret)),
)]
pub async fn rotate_secret(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<NewSecret>,
) -> Result<Json<ClientWithSecret>, Problem> {
    let (client, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let overlap = Duration::from_secs(asked.overlap_hours.saturating_mul(3600));
    let by = act(&caller.actor, &why);
    let done = outcome(rules(&caller).rotate_secret(&client, overlap, by).await)?;
    Ok(Json(told(&caller, done)))
}

/// Ends the old secrets of a relying party
///
/// Only the newest works then.
#[utoipa::path(
    post, path = "/admin/api/v1/clients/{client}/end-old-secrets", tag = "Clients",
    operation_id = "endOldClientSecrets",
    params(("client" = String, Path, description = "`client_id`")),
    request_body = Why,
    responses((status = 200, description = "The relying party with one secret", body = Client)),
)]
pub async fn end_old_secrets(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<Client>, Problem> {
    let (client, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let client = outcome(rules(&caller).end_old_secrets(&client, act(&caller.actor, &why)).await)?;
    Ok(Json(Client::of(&client, caller.app().now())))
}

/// Disables a relying party
///
/// Nobody signs in to it, and its tokens are worth nothing while that lasts.
#[utoipa::path(
    post, path = "/admin/api/v1/clients/{client}/disable", tag = "Clients", operation_id = "disableClient",
    params(("client" = String, Path, description = "`client_id`")),
    request_body = Why,
    responses((status = 200, description = "The relying party, disabled", body = Client)),
)]
pub async fn disable(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Client>, Problem> {
    let (client, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let client = outcome(rules(&caller).disable(&client, act(&caller.actor, &why)).await)?;
    Ok(Json(Client::of(&client, caller.app().now())))
}

/// Enables a disabled relying party
///
/// Members can sign in again, and tokens that are still in time work again.
#[utoipa::path(
    post, path = "/admin/api/v1/clients/{client}/enable", tag = "Clients", operation_id = "enableClient",
    params(("client" = String, Path, description = "`client_id`")),
    request_body = Why,
    responses((status = 200, description = "The relying party, enabled", body = Client)),
)]
pub async fn enable(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Client>, Problem> {
    let (client, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let client = outcome(rules(&caller).enable(&client, act(&caller.actor, &why)).await)?;
    Ok(Json(Client::of(&client, caller.app().now())))
}

/// Deletes a relying party
///
/// For ever, with what members allowed it; its tokens and secrets are void. Only one that was disabled before. The audit
/// stays.
#[utoipa::path(
    post, path = "/admin/api/v1/clients/{client}/delete", tag = "Clients", operation_id = "deleteClient",
    params(("client" = String, Path, description = "`client_id`")),
    request_body = Why,
    responses((status = 204, description = "The relying party is gone")),
)]
pub async fn delete(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<StatusCode, Problem> {
    let (client, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    outcome(rules(&caller).delete(&client, act(&caller.actor, &why)).await)?;
    Ok(StatusCode::NO_CONTENT)
}
