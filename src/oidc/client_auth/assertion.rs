//! Client assertions (RFC 7523 §3, OIDC Core §9): a JWT that the client signed with its secret or its key.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refused;
use crate::{
    app::App,
    clients::{AssertionAlgorithm, AuthMethod, Client, ClientKeysError, Hmac},
    clock::Timestamp,
    crypto::{Algorithm, ForeignJwt},
    ephemeral::Record,
    fault::Fault,
    oidc::{authorize::params::Params, error::OAuthError},
};

/// The one kind of assertion (RFC 7523 §2.2).
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may differ.
const SKEW: Duration = Duration::from_secs(30);
/// How far away `exp` may be: an assertion is made for one request.
const FAR: Duration = Duration::from_secs(15 * 60);
/// Longest `jti`, in bytes.
const LONGEST: usize = 256;

/// Endpoints whose URL is a good `aud` beside the issuer's (OIDC Core §9, RFC 9126 §2).
const AUDIENCES: [&str; 2] = ["/token", "/par"];

/// An assertion that was used, until it would have expired anyway.
#[derive(Serialize, Deserialize)]
struct Used {}

impl Record for Used {
    const KIND: &'static str = "assertion-jti";
}

/// The assertion of a request, if it has one.
pub(super) fn presented(params: &Params) -> Result<Option<ForeignJwt>, OAuthError> {
    match (params.get("client_assertion_type"), params.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(TYPE), Some(text)) => ForeignJwt::read(text).map(Some).map_err(|_| refused()),
        (Some(TYPE), None) => Err(OAuthError::invalid_request("client_assertion is missing")),
        _ => Err(OAuthError::invalid_request(format!("client_assertion_type must be {TYPE}"))),
    }
}

/// Checks that this client made the assertion, for us, lately, and did not use it before.
pub(super) async fn verify(app: &App, client: &Client, jwt: &ForeignJwt) -> Result<(), OAuthError> {
    if !jwt.is_of_kind("client-authentication+jwt") {
        return Err(OAuthError::invalid_client(
            "typ of the client assertion must be client-authentication+jwt",
        ));
    }
    let claims = signed(app, client, jwt).await?;
    let now = app.now();
    let rule = broken_rule(client, claims, &app.config().server.issuer, now);
    if let Some(rule) = rule {
        tracing::info!(client = client.id, rule, "a client assertion was refused");
        return Err(OAuthError::invalid_client(rule));
    }
    // Only what is authentic is remembered, so that nobody else can fill the memory or spend a jti.
    let jti = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
    let name = format!("{} {jti}", client.id);
    let fresh = app.members.ephemeral.insert(&name, &Used {}, FAR + SKEW + SKEW).await?;
    if fresh { Ok(()) } else { Err(OAuthError::invalid_client("the client assertion was used before")) }
}

/// The claims, if the client signed them with what it registered.
async fn signed<'a>(
    app: &App,
    client: &Client,
    jwt: &'a ForeignJwt,
) -> Result<&'a Map<String, Value>, OAuthError> {
    let metadata = &client.metadata;
    if metadata.token_endpoint_auth_method == AuthMethod::ClientSecretJwt {
        return with_secret(app, client, jwt);
    }
    let alg: Algorithm = jwt.alg().and_then(|name| name.parse().ok()).ok_or_else(refused)?;
    let registered = metadata.token_endpoint_auth_signing_alg;
    if registered.is_some_and(|registered| registered != AssertionAlgorithm::Key(alg)) {
        return Err(refused());
    }
    let keys = app.client_keys.verification(metadata, alg, jwt.kid()).await.map_err(|error| match error {
        ClientKeysError::Unreachable(_) => OAuthError::from(Fault::Unavailable(Box::new(error))),
        _ => OAuthError::invalid_client(error.to_string()),
    })?;
    jwt.verify(alg, &keys).map_err(|_| refused())
}

fn with_secret<'a>(
    app: &App,
    client: &Client,
    jwt: &'a ForeignJwt,
) -> Result<&'a Map<String, Value>, OAuthError> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    if registered.is_some_and(|registered| registered != AssertionAlgorithm::Secret(Hmac::Hs256)) {
        return Err(refused());
    }
    for secret in client.secrets.iter().filter(|secret| secret.is_valid(app.now())) {
        let text = secret
            .open(&app.members.master, &client.id)
            .map_err(|error| Fault::internal(error.to_string()))?;
        if let Some(claims) = text.and_then(|text| jwt.verify_hs256(&text).ok()) {
            return Ok(claims);
        }
    }
    Err(refused())
}

/// The first rule of RFC 7523 §3 that the claims break.
fn broken_rule(
    client: &Client,
    claims: &Map<String, Value>,
    issuer: &str,
    now: Timestamp,
) -> Option<&'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // NumericDate may have a fraction (RFC 7519 §2).
    #[expect(clippy::cast_possible_truncation, reason = "a number beyond i64 is not near the present either")]
    let instant =
        |name: &str| claims.get(name).map(|value| value.as_f64().map_or(i64::MIN, |at| at.floor() as i64));
    let skew = SKEW.as_secs().cast_signed();
    let (soonest, latest) = (now.seconds() - skew, now.seconds() + skew);
    let [exp, iat, nbf] = ["exp", "iat", "nbf"].map(instant);
    let ahead = |at: Option<i64>| at.is_some_and(|at| at > latest || at == i64::MIN);
    let rules = [
        (text("iss") == Some(&client.id), "iss of the client assertion must be the client_id"),
        (text("sub") == Some(&client.id), "sub of the client assertion must be the client_id"),
        (audience(client, claims.get("aud"), issuer), "aud of the client assertion must be the issuer"),
        (exp.is_some_and(|at| at > soonest), "the client assertion has expired or has no exp"),
        (
            exp.is_some_and(|at| at <= latest + FAR.as_secs().cast_signed()),
            "exp of the client assertion is more than 15 minutes away",
        ),
        (!ahead(iat), "iat of the client assertion lies in the future"),
        (!ahead(nbf), "nbf of the client assertion lies in the future"),
        (
            text("jti").is_some_and(|jti| !jti.is_empty() && jti.len() <= LONGEST),
            "the client assertion must have a jti of 256 bytes at most",
        ),
    ];
    rules.into_iter().find_map(|(holds, rule)| (!holds).then_some(rule))
}

/// Whether the assertion was made for us: for the issuer, or for an endpoint by its URL. A client of
/// `strict_assertions` names the issuer, as text (FAPI 2.0 §5.3.2.1).
fn audience(client: &Client, aud: Option<&Value>, issuer: &str) -> bool {
    let ours = |text: &str| {
        text == issuer
            || text.strip_prefix(issuer).is_some_and(|path| AUDIENCES.contains(&path))
            // An issuer is often written as the URL of its root.
            || text.strip_suffix('/') == Some(issuer)
    };
    match aud {
        Some(Value::String(text)) if client.metadata.strict_assertions => text == issuer,
        Some(Value::String(text)) => ours(text),
        Some(Value::Array(list)) if !client.metadata.strict_assertions => {
            list.iter().any(|text| text.as_str().is_some_and(ours))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clients::Metadata;

    const NOW: Timestamp = Timestamp::from_millis(1_784_000_000_000);
    const ISSUER: &str = "https://login.example.jp";

    fn client(strict_assertions: bool) -> Client {
        let metadata = Metadata { strict_assertions, ..Metadata::default() };
        Client::new("app".to_owned(), metadata, NOW)
    }

    fn broken(strict: bool, change: (&str, Value)) -> bool {
        let mut claims = json!({
            "iss": "app", "sub": "app", "aud": ISSUER, "jti": "1",
            "exp": NOW.seconds() + 60, "iat": NOW.seconds(),
        });
        claims[change.0] = change.1;
        broken_rule(&client(strict), claims.as_object().unwrap(), ISSUER, NOW).is_some()
    }

    #[test]
    fn each_claim_is_bound_to_this_client_this_provider_and_this_moment() {
        let (now, token) = (NOW.seconds(), format!("{ISSUER}/token"));
        for (name, good) in [
            ("iss", json!("app")),
            ("aud", json!(token)),
            ("aud", json!([ISSUER])),
            ("aud", json!(["https://other.example", token])),
            ("aud", json!(format!("{ISSUER}/par"))),
            ("exp", json!(now + 900)),
            ("exp", json!(now - 10)),
            ("iat", json!(now + 8)),
            ("nbf", json!(now + 8)),
            ("iat", json!(1_784_000_000.5)),
        ] {
            assert!(!broken(false, (name, good.clone())), "{name} {good}");
        }
        for (name, bad) in [
            ("iss", json!("other")),
            ("sub", json!("other")),
            ("sub", json!(null)),
            ("aud", json!("https://other.example")),
            ("aud", json!(format!("{ISSUER}.evil.example/token"))),
            ("aud", json!(format!("{ISSUER}/userinfo"))),
            ("aud", json!([])),
            ("aud", json!(null)),
            ("exp", json!(now - 300)),
            ("exp", json!(now + 3600)),
            ("exp", json!(null)),
            ("exp", json!(1e300)),
            ("exp", json!("soon")),
            ("iat", json!(now + 61)),
            ("iat", json!("now")),
            ("nbf", json!(now + 61)),
            ("jti", json!("")),
            ("jti", json!("x".repeat(300))),
            ("jti", json!(1)),
        ] {
            assert!(broken(false, (name, bad.clone())), "{name} {bad}");
        }
    }

    #[test]
    fn a_strict_client_names_the_issuer_and_nothing_else() {
        assert!(!broken(true, ("aud", json!(ISSUER))));
        for aud in [json!([ISSUER]), json!(format!("{ISSUER}/token")), json!(format!("{ISSUER}/"))] {
            assert!(broken(true, ("aud", aud.clone())), "{aud}");
        }
    }
}
