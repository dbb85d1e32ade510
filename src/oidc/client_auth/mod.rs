//! How a client proves itself at the endpoints that it calls itself (RFC 6749 §2.3, OIDC Core §9).

mod assertion;

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{authorize::params::Params, error::OAuthError};
use crate::{
    app::App,
    clients::{AuthMethod, Client},
    crypto::ForeignJwt,
};

/// What a request presents.
struct Presented {
    client_id: String,
    proof: Proof,
}

/// How it proves that it is the client.
enum Proof {
    /// Not at all: a public client.
    None,
    /// In the Authorization header.
    Basic(String),
    /// In the body.
    Post(String),
    /// With a signed JWT; whose key signed it shows.
    Assertion(ForeignJwt),
}

impl Proof {
    fn fits(&self, method: AuthMethod) -> bool {
        match self {
            Self::None => method == AuthMethod::None,
            Self::Basic(_) => method == AuthMethod::ClientSecretBasic,
            Self::Post(_) => method == AuthMethod::ClientSecretPost,
            Self::Assertion(_) => {
                matches!(method, AuthMethod::ClientSecretJwt | AuthMethod::PrivateKeyJwt)
            }
        }
    }
}

/// The client that sent the request, proved by the method that it registered.
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, OAuthError> {
    let presented = presented(headers, params)?;
    let client = app.client(&presented.client_id).await?;
    // One answer for an unknown client, a wrong secret and a wrong method.
    let client = client.ok_or_else(refused)?;
    let method = client.metadata.token_endpoint_auth_method;
    if !presented.proof.fits(method) {
        tracing::info!(
            client = client.id,
            registered = method.as_str(),
            "a client used another authentication method than it registered"
        );
        return Err(refused());
    }
    match presented.proof {
        Proof::None => Ok(client),
        Proof::Basic(secret) | Proof::Post(secret) if client.verify_secret(&secret, app.now()) => Ok(client),
        Proof::Basic(_) | Proof::Post(_) => Err(refused()),
        Proof::Assertion(jwt) => {
            assertion::verify(app, &client, &jwt).await?;
            Ok(client)
        }
    }
}

fn refused() -> OAuthError {
    OAuthError::invalid_client("the client is unknown or did not prove itself")
}

fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let in_body = params.get("client_id");
    let secret_in_body = params.get("client_secret").map(str::to_owned);
    let asserted = assertion::presented(params)?;
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let header = authorizations.next();
    // RFC 6749 §2.3: one method a request.
    let ways =
        [header.is_some(), authorizations.next().is_some(), secret_in_body.is_some(), asserted.is_some()];
    if ways.into_iter().filter(|used| *used).count() > 1 {
        return Err(OAuthError::invalid_request("the client uses more than one authentication method"));
    }
    let (named, proof) = match (header, asserted) {
        (Some(value), _) => {
            let (id, secret) = value.to_str().ok().and_then(basic).ok_or_else(|| {
                OAuthError::invalid_client(
                    "the Authorization header is not Basic with client_id and client_secret",
                )
            })?;
            (Some(id), Proof::Basic(secret))
        }
        (None, Some(jwt)) => (jwt.unverified("sub").map(str::to_owned), Proof::Assertion(jwt)),
        (None, None) => (in_body.map(str::to_owned), secret_in_body.map_or(Proof::None, Proof::Post)),
    };
    let client_id = named
        .ok_or_else(|| OAuthError::invalid_client("the request names no client: client_id is missing"))?;
    if in_body.is_some_and(|id| id != client_id) {
        return Err(OAuthError::invalid_request(
            "client_id in the body differs from the client that is proved",
        ));
    }
    Ok(Presented { client_id, proof })
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
