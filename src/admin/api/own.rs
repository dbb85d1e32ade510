//! `/admin/api/v1/self`: who asks, and what for.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::guard::Caller;
use crate::operators::log::utc;

#[derive(OpenApi)]
#[openapi(paths(get))]
pub(super) struct Doc;

/// The client and what its access token allows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Own {
    /// `client_id`
    pub client_id: String,
    /// Name of the client.
    pub name: String,
    /// Portal code of the one insurer that it reaches; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// What the token allows: its scopes that the client still has.
    pub scopes: Vec<String>,
    /// When the token is void.
    #[schema(format = DateTime)]
    pub token_expires_at: String,
}

/// Says who asks
///
/// The client, the insurer that it reaches, and the scopes of the token.
#[utoipa::path(
    get, path = "/admin/api/v1/self", tag = "Self", operation_id = "getSelf",
    responses((status = 200, description = "The client", body = Own)),
)]
pub async fn get(caller: Caller) -> Json<Own> {
    Json(Own {
        client_id: caller.client.id.clone(),
        name: caller.client.metadata.client_name.clone(),
        insurer: caller.scope().map(str::to_owned),
        scopes: caller.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        token_expires_at: utc(caller.expires_at.millis()),
    })
}
