//! `/register` (OIDC Registration §3, RFC 7591) and `/register/{client_id}` (RFC 7592).

mod request;

use std::{net::IpAddr, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{authorize::response_type::ResponseType, error::OAuthError, scope::Scope, token};
use crate::{
    app::App,
    clients::{
        AuthMethod, Client, Clients, GrantType, Supported,
        registration::{self, Registered, Registrar},
    },
    config::Config,
    web::Visit,
};

/// Grant types of the token endpoint.
pub const GRANT_TYPES: &[GrantType] = &token::GRANT_TYPES;

/// The same, and the authorization endpoint's own.
const GRANT_TYPES_WITH_IMPLICIT: [GrantType; 5] = {
    let [a, b, c, d] = token::GRANT_TYPES;
    [a, b, c, d, GrantType::Implicit]
};

/// The time over which the registrations of an address are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// Response types of the authorization endpoint.
pub fn response_types(config: &Config) -> &'static [&'static str] {
    if config.protocol.front_channel_tokens { &ResponseType::NAMES } else { &["code"] }
}

/// Grant types that there are.
pub fn grant_types(config: &Config) -> &'static [GrantType] {
    if config.protocol.front_channel_tokens { &GRANT_TYPES_WITH_IMPLICIT } else { GRANT_TYPES }
}

/// What a client can ask for: what this provider has for members.
pub fn supported(config: &Config) -> Supported<'_> {
    Supported {
        scopes: &Scope::NAMES,
        signing: &config.keys.algorithms,
        response_types: response_types(config),
        grant_types: grant_types(config),
    }
}

/// The rules of relying parties, for what operators do to them.
pub fn clients(app: &App) -> Clients<'_> {
    let config = app.config();
    Clients {
        registrar: registrar(app),
        supported: supported(config),
        insurers: &config.insurers,
        egress: &app.egress,
    }
}

/// The same with the scopes of the operators' API, for who works at the machine itself.
pub fn supported_with_api(config: &Config) -> Supported<'_> {
    Supported { scopes: &Scope::NAMES_WITH_API, ..supported(config) }
}

/// POST `/register`
pub async fn post(visit: Visit, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let app = visit.app();
    within_limits(app, visit.address).await?;
    let initial = initial_access(app, &headers).await?;
    let metadata = request::metadata(app, &object(&headers, &body)?, None).await?;
    let registered = registration::register(registrar(app), initial.as_deref(), metadata).await?;
    // Another request took the last use of the token.
    let registered = registered.ok_or_else(refused)?;
    Ok(answer(StatusCode::CREATED, told(app, registered)))
}

/// GET `/register/{client_id}`
pub async fn get(visit: Visit, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, OAuthError> {
    let app = visit.app();
    let (client, token) = managed(&visit, &id, &headers).await?;
    let mut body = described(app, &client);
    body.insert("registration_access_token".to_owned(), token.into());
    Ok(answer(StatusCode::OK, body))
}

/// PUT `/register/{client_id}`: replaces what the client registered (RFC 7592 §2.2).
pub async fn put(
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let app = visit.app();
    let (client, _) = managed(&visit, &id, &headers).await?;
    let sent = object(&headers, &body)?;
    request::check_update(&sent, &client, app.now())?;
    let metadata = request::metadata(app, &sent, Some(&client.metadata)).await?;
    let updated = registration::update(registrar(app), client, metadata).await?.ok_or_else(refused)?;
    Ok(answer(StatusCode::OK, told(app, updated)))
}

/// DELETE `/register/{client_id}` (RFC 7592 §2.3).
pub async fn delete(
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, OAuthError> {
    let (client, _) = managed(&visit, &id, &headers).await?;
    registration::delete(registrar(visit.app()), &client).await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

fn registrar(app: &App) -> Registrar<'_> {
    let members = &app.members;
    Registrar { db: &members.db, master: &members.master, entropy: &members.entropy, now: app.now() }
}

fn refused() -> OAuthError {
    OAuthError::bearer(StatusCode::UNAUTHORIZED, "invalid_token", "the access token is void or unknown")
}

/// Counts the tries of a client address, whatever becomes of them.
async fn within_limits(app: &App, address: IpAddr) -> Result<(), OAuthError> {
    let what = format!("register:{}", address.to_canonical());
    let tries = app.members.ephemeral.count(&what, HOUR).await?;
    if tries > app.config().registration.per_address_hour {
        return Err(OAuthError::too_many("too many registrations come from this address", HOUR));
    }
    Ok(())
}

/// The id of the initial access token, or none where registration is open (RFC 7591 §3).
async fn initial_access(app: &App, headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    use crate::storage::client_registration::count_open;

    let settings = &app.config().registration;
    if let Some(token) = bearer(headers)? {
        let found = registration::initial_access(registrar(app), token).await?;
        return found.map(Some).ok_or_else(refused);
    }
    if !settings.open {
        return Err(OAuthError::bearer_missing());
    }
    let most = i64::try_from(settings.open_clients).unwrap_or(i64::MAX);
    if count_open(&app.members.db).await? >= most {
        return Err(OAuthError::denied(
            "too many clients registered themselves; ask for an initial access token",
        ));
    }
    Ok(None)
}

/// The client that the registration access token manages, and the token.
async fn managed<'a>(
    visit: &Visit,
    id: &str,
    headers: &'a HeaderMap,
) -> Result<(Client, &'a str), OAuthError> {
    let token = bearer(headers)?.ok_or_else(OAuthError::bearer_missing)?;
    // One answer for a client that is not there and a token that is not its own (RFC 7592 §2.1).
    let client = registration::managed(registrar(visit.app()), id, token).await?.ok_or_else(refused)?;
    Ok((client, token))
}

/// The one Bearer token of the Authorization header.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        let several = headers.contains_key(header::AUTHORIZATION);
        return if several { Err(refused()) } else { Ok(None) };
    };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(refused()) }
}

/// The JSON object of a request.
fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let object = serde_json::from_slice(body).ok().filter(|_| kind.eq_ignore_ascii_case("application/json"));
    object.ok_or_else(|| {
        OAuthError::new("invalid_client_metadata", "the body must be a JSON object, as application/json")
    })
}

fn answer(status: StatusCode, body: Map<String, Value>) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, headers, Json(body)).into_response()
}

/// What a client is told after it registered or changed something.
fn told(app: &App, registered: Registered) -> Map<String, Value> {
    let mut body = described(app, &registered.client);
    if let Some(secret) = registered.secret {
        body.insert("client_secret".to_owned(), secret.into());
        body.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    body.insert("registration_access_token".to_owned(), registered.registration_access_token.into());
    body
}

/// What is registered (RFC 7591 §3.2.1). The secret is not in it: only its hash is known.
fn described(app: &App, client: &Client) -> Map<String, Value> {
    let mut body = match serde_json::to_value(&client.metadata) {
        Ok(Value::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    body.retain(|name, _| request::is_registrable(name));
    if client.metadata.token_endpoint_auth_method == AuthMethod::None {
        body.remove("token_endpoint_auth_signing_alg");
    }
    let uri = app.config().server.url(&format!("/register/{}", client.id));
    body.insert("client_id".to_owned(), json!(client.id));
    body.insert("client_id_issued_at".to_owned(), json!(client.created_at.seconds()));
    body.insert("registration_client_uri".to_owned(), json!(uri));
    body
}
