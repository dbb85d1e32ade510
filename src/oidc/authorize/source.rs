//! Where the parameters of a request come from: the request itself, a request object in it, one that the
//! client keeps at a URL of its own, or an earlier request that was pushed (OIDC Core §6, RFC 9101, RFC 9126).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{checks::AuthorizationError, object, params::Params, pushed::Pushed};
use crate::{app::App, clients::Client, crypto::digest, egress::Policy, fault::Fault};

/// What is fetched from a `request_uri`. Content types are not looked at: the signature is.
const POLICY: Policy = Policy { max_bytes: 32 * 1024, content_types: &[] };

/// Parameters to be checked.
#[derive(Debug)]
pub struct Source {
    /// The parameters.
    pub params: Params,
    /// Name of the pushed request that they are of.
    pub pushed: Option<String>,
}

/// What a request may not be.
type Outcome<T> = Result<Result<T, AuthorizationError>, Fault>;

fn refuse<T>(code: &'static str, description: &str) -> Result<T, AuthorizationError> {
    Err(AuthorizationError::new(code, description))
}

/// The parameters of a request to `/authorize`.
pub async fn of_request(app: &App, client: &Client, params: &Params) -> Outcome<Source> {
    // The first rule of the table says what is wrong with it.
    if params.has_repeated() || params.has_too_long() {
        return Ok(Ok(Source { params: params.clone(), pushed: None }));
    }
    if let Some(id) = params.get("request_uri").and_then(Pushed::id_of) {
        if params.get("request").is_some() {
            return Ok(refuse("invalid_request", "request and request_uri must not stand together"));
        }
        let found = Pushed::find(app, client, id).await?;
        return Ok(found.map(|params| Source { params, pushed: Some(id.to_owned()) }).ok_or_else(|| {
            AuthorizationError::new(
                "invalid_request_uri",
                "request_uri is unknown, expired, used or another client's",
            )
        }));
    }
    // RFC 9126 §6
    if client.metadata.require_pushed_authorization_requests {
        return Ok(refuse("invalid_request", "the client must push its authorization requests (RFC 9126)"));
    }
    let text = match (params.get("request"), params.get("request_uri")) {
        (Some(_), Some(_)) => {
            return Ok(refuse("invalid_request", "request and request_uri must not stand together"));
        }
        (None, Some(uri)) => match fetch(app, client, uri).await {
            Ok(text) => Some(text),
            Err(error) => return Ok(Err(error)),
        },
        (request, None) => request.map(str::to_owned),
    };
    let params = with_object(app, client, params, text.as_deref()).await;
    Ok(params.map(|params| Source { params, pushed: None }))
}

/// The parameters of a request to `/par`, which may bring a request object but no reference to one.
pub async fn of_pushed(app: &App, client: &Client, params: &Params) -> Result<Params, AuthorizationError> {
    // RFC 9126 §2.1
    if params.get("request_uri").is_some() {
        return Err(AuthorizationError::invalid("request_uri must not be pushed (RFC 9126 section 2.1)"));
    }
    with_object(app, client, params, params.get("request")).await
}

/// The parameters of the object go before those beside it (OIDC Core §6.1). Where every request must be an
/// object, those beside it do not count at all (RFC 9101 §6.3).
async fn with_object(
    app: &App,
    client: &Client,
    outside: &Params,
    text: Option<&str>,
) -> Result<Params, AuthorizationError> {
    let must = client.metadata.require_signed_request_object;
    let Some(text) = text else {
        return if must {
            Err(AuthorizationError::invalid("the client must sign its authorization requests (RFC 9101)"))
        } else {
            Ok(outside.clone())
        };
    };
    let inside = object::read(app, client, text).await?;
    merged(outside, inside, must)
}

fn merged(outside: &Params, inside: Params, alone: bool) -> Result<Params, AuthorizationError> {
    // OIDC Core §6.1: a client that knows nothing of the object must read the same. `client_id` is compared
    // where the object is read.
    let (beside, within) = (outside.get("response_type"), inside.get("response_type"));
    if beside.is_some() && within.is_some() && beside != within {
        return Err(AuthorizationError::new(
            "invalid_request_object",
            "response_type in the request object is another than beside it",
        ));
    }
    Ok(if alone { inside } else { outside.without(&["request", "request_uri"]).overlaid(inside) })
}

/// The text at a `request_uri` that the client registered (OIDC Core §6.2).
async fn fetch(app: &App, client: &Client, uri: &str) -> Result<String, AuthorizationError> {
    let refuse = |description: &str| AuthorizationError::new("invalid_request_uri", description);
    let hash = expected_hash(&client.metadata.request_uris, uri)
        .map_err(|()| refuse("request_uri is not one that the client registered"))?;
    let fetched =
        app.egress.fetch(uri, &POLICY).await.map_err(|error| refuse(&format!("request_uri: {error}")))?;
    if hash.is_some_and(|hash| BASE64_URL_SAFE_NO_PAD.encode(digest::sha256(&fetched.body)) != hash) {
        return Err(refuse("the content of request_uri has another SHA-256 than its fragment"));
    }
    let text = String::from_utf8(fetched.body).map_err(|_| refuse("the content of request_uri is no JWT"))?;
    Ok(text.trim().to_owned())
}

/// Whether a `request_uri` is a registered one. A fragment is the SHA-256 of the content, there to tell one
/// version from the next; nothing is cached here, so the registered value is as good as its word. A fragment
/// that is not the registered one must be the hash of what is there now.
fn expected_hash<'a>(registered: &[String], uri: &'a str) -> Result<Option<&'a str>, ()> {
    if registered.iter().any(|known| known == uri) {
        return Ok(None);
    }
    let (place, hash) = uri.split_once('#').map_or((uri, None), |(place, hash)| (place, Some(hash)));
    let known = registered.iter().any(|known| known.split('#').next() == Some(place));
    if known { Ok(hash) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_uri_is_registered_to_the_letter_but_for_the_hash_of_its_content() {
        let registered = ["https://a.example/r#old".to_owned(), "https://a.example/s?x=1".to_owned()];
        let hash = |uri| expected_hash(&registered, uri);
        assert_eq!(hash("https://a.example/r#old"), Ok(None));
        assert_eq!(hash("https://a.example/r#new"), Ok(Some("new")));
        assert_eq!(hash("https://a.example/r"), Ok(None));
        assert_eq!(hash("https://a.example/s?x=1#new"), Ok(Some("new")));
        for other in
            ["https://a.example/s", "https://a.example/r/", "https://A.example/r", "http://a.example/r", ""]
        {
            assert_eq!(hash(other), Err(()), "{other}");
        }
        assert_eq!(expected_hash(&[], "https://a.example/r"), Err(()));
    }

    #[test]
    fn what_is_inside_goes_before_what_is_beside_it_or_counts_alone() {
        let outside =
            Params::parse(b"client_id=app&response_type=code&scope=openid+email&state=out&request=jwt");
        let inside = || Params::parse(b"response_type=code&scope=openid&nonce=n");
        let both = merged(&outside, inside(), false).unwrap();
        assert_eq!(
            (both.get("scope"), both.get("state"), both.get("nonce")),
            (Some("openid"), Some("out"), Some("n"))
        );
        assert_eq!(both.get("request"), None);
        let alone = merged(&outside, inside(), true).unwrap();
        assert_eq!((alone.get("scope"), alone.get("state")), (Some("openid"), None));
        let other = Params::parse(b"response_type=id_token");
        assert_eq!(merged(&outside, other, false).unwrap_err().code, "invalid_request_object");
    }
}
