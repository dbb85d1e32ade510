//! How a client proves itself at the token endpoint (RFC 6749 §2.3, OIDC Core §9).

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{authorize::params::Params, error::OAuthError};
use crate::{
    app::App,
    clients::{AuthMethod, Client},
};

/// What a request presents.
struct Presented {
    client_id: String,
    secret: Option<String>,
    method: AuthMethod,
}

/// The client that sent the request, proved by the method that it registered.
pub async fn authenticate(app: &App, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    let presented = presented(headers, params)?;
    let client = app.client(&presented.client_id).await?;
    // One answer for an unknown client, a wrong secret and a wrong method.
    let refused = || OAuthError::invalid_client("the client is unknown or did not prove itself");
    let client = client.ok_or_else(refused)?;
    if client.metadata.token_endpoint_auth_method != presented.method {
        tracing::info!(
            client = client.id,
            registered = client.metadata.token_endpoint_auth_method.as_str(),
            used = presented.method.as_str(),
            "a client used another authentication method than it registered"
        );
        return Err(refused());
    }
    match presented.secret {
        Some(secret) if client.verify_secret(&secret, app.now()) => Ok(client),
        None if presented.method == AuthMethod::None => Ok(client),
        _ => Err(refused()),
    }
}

fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let in_body = params.get("client_id").map(str::to_owned);
    let secret_in_body = params.get("client_secret").map(str::to_owned);
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = authorizations.next() else {
        let client_id = in_body
            .ok_or_else(|| OAuthError::invalid_client("the request names no client: client_id is missing"))?;
        let method = if secret_in_body.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
        return Ok(Presented { client_id, secret: secret_in_body, method });
    };
    // RFC 6749 §2.3: one method a request.
    if secret_in_body.is_some() || authorizations.next().is_some() {
        return Err(OAuthError::invalid_request("the client uses more than one authentication method"));
    }
    let (client_id, secret) = value.to_str().ok().and_then(basic).ok_or_else(|| {
        OAuthError::invalid_client("the Authorization header is not Basic with client_id and client_secret")
    })?;
    if in_body.is_some_and(|id| id != client_id) {
        return Err(OAuthError::invalid_request("client_id differs between the header and the body"));
    }
    Ok(Presented { client_id, secret: Some(secret), method: AuthMethod::ClientSecretBasic })
}

/// The two halves of a Basic credential, each form-encoded before they were joined (RFC 6749 §2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26").replace('=', "%3D"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = format!("basic {}", BASE64_STANDARD.encode("my%3Aapp:a+b%26c&d=e"));
        assert_eq!(basic(&header), Some(("my:app".to_owned(), "a b&c&d=e".to_owned())));
    }

    #[test]
    fn malformed_headers_are_refused() {
        for header in ["Basic", "Basic !!!", "Bearer eA==", "Basic eA==", "", "Basic /////w=="] {
            assert_eq!(basic(header), None, "{header}");
        }
    }
}
