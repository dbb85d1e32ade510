//! Request objects (RFC 9101, OIDC Core §6): a request as a JWT that the client signed.

use serde_json::{Map, Value};

use super::{checks::AuthorizationError, params::Params};
use crate::{
    app::App,
    clients::{Client, ClientKeysError},
    clock::Timestamp,
    crypto::{Algorithm, ForeignJwt},
};

/// How far a client's clock may be off, in seconds.
const SKEW: i64 = 30;
/// Longest life of an object where every request has to be one (FAPI 2.0 Message Signing §5.3.1), in seconds.
const LONGEST_LIFE: i64 = 3600;
/// Claims of the JWT itself, which are no parameters (RFC 9101 §4).
const OF_THE_JWT: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

fn refuse(description: impl Into<String>) -> AuthorizationError {
    AuthorizationError::new("invalid_request_object", description)
}

/// The parameters in an object of this client; nothing in it is believed before the signature holds.
pub async fn read(app: &App, client: &Client, text: &str) -> Result<Params, AuthorizationError> {
    let jwt = ForeignJwt::read(text)
        .map_err(|_| refuse("the request object is not a signed JWT, or brings its own key"))?;
    let alg = algorithm(&jwt, client)?;
    let keys = app.client_keys.verification(&client.metadata, alg, jwt.kid()).await;
    let keys = keys.map_err(|error| match error {
        ClientKeysError::Unreachable(_) => {
            AuthorizationError::new("temporarily_unavailable", error.to_string())
        }
        error => refuse(error.to_string()),
    })?;
    let claims = jwt
        .verify(alg, &keys)
        .map_err(|_| refuse("the request object is not signed with a key of the client"))?;
    check_claims(claims, client, &app.config().server.issuer, app.now())?;
    Ok(parameters(claims))
}

/// The algorithm of the signature: the one that was registered, or any of a private key. Never `none`, and no
/// MAC: what the client can prove, nobody else should be able to.
fn algorithm(jwt: &ForeignJwt, client: &Client) -> Result<Algorithm, AuthorizationError> {
    // RFC 9101 §10.8
    if !jwt.is_of_kind("oauth-authz-req+jwt") {
        return Err(refuse("typ of the request object must be oauth-authz-req+jwt"));
    }
    let alg: Option<Algorithm> = jwt.alg().and_then(|name| name.parse().ok());
    match (alg, client.metadata.request_object_signing_alg) {
        (Some(alg), None) => Ok(alg),
        (Some(alg), Some(registered)) if alg == registered => Ok(alg),
        (_, Some(_)) => Err(refuse("alg of the request object is not the registered one")),
        (None, None) => {
            Err(refuse("alg of the request object is none of request_object_signing_alg_values_supported"))
        }
    }
}

/// From this client, for this provider, now (RFC 9101 §4 and §10.8).
fn check_claims(
    claims: &Map<String, Value>,
    client: &Client,
    issuer: &str,
    now: Timestamp,
) -> Result<(), AuthorizationError> {
    if claims.get("iss").and_then(Value::as_str) != Some(client.id.as_str()) {
        return Err(refuse("iss of the request object must be the client_id"));
    }
    let audience = claims.get("aud");
    let for_us = audience.is_some_and(|aud| {
        aud == issuer || aud.as_array().is_some_and(|list| list.iter().any(|entry| entry == issuer))
    });
    if !for_us {
        return Err(refuse("aud of the request object must be the issuer"));
    }
    if claims.get("client_id").is_some_and(|id| id.as_str() != Some(client.id.as_str())) {
        return Err(refuse("client_id in the request object is another than beside it"));
    }
    // A client assertion has these two the same (RFC 7523 §3).
    if claims.get("sub").and_then(Value::as_str) == Some(client.id.as_str()) {
        return Err(refuse("sub of the request object must not be the client_id"));
    }
    if ["request", "request_uri"].iter().any(|name| claims.contains_key(*name)) {
        return Err(refuse("request and request_uri must not be in the request object"));
    }
    check_times(claims, client, now)
}

fn check_times(
    claims: &Map<String, Value>,
    client: &Client,
    now: Timestamp,
) -> Result<(), AuthorizationError> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        // RFC 7519 §2: a NumericDate may have a fraction.
        #[expect(clippy::cast_possible_truncation, reason = "seconds; `as` saturates")]
        Some(value) => match value.as_f64() {
            Some(seconds) => Ok(Some(seconds as i64)),
            None => Err(refuse(format!("{name} of the request object must be a number"))),
        },
    };
    let (expires, begins, now) = (time("exp")?, time("nbf")?, now.seconds());
    if expires.is_some_and(|expires| expires <= now.saturating_sub(SKEW)) {
        return Err(refuse("the request object has expired"));
    }
    if begins.is_some_and(|begins| begins > now.saturating_add(SKEW)) {
        return Err(refuse("the request object is not valid yet (nbf)"));
    }
    if client.metadata.require_signed_request_object {
        let (Some(expires), Some(begins)) = (expires, begins) else {
            return Err(refuse("the request object must have exp and nbf"));
        };
        let latest = now.saturating_add(LONGEST_LIFE + SKEW);
        let earliest = now.saturating_sub(LONGEST_LIFE + SKEW);
        if expires > latest || begins < earliest {
            return Err(refuse("exp and nbf of the request object must be within 60 minutes"));
        }
    }
    Ok(())
}

/// The claims as parameters: texts as they are, everything else as JSON, as `claims` and `max_age` are.
fn parameters(claims: &Map<String, Value>) -> Params {
    let mut params = Params::default();
    for (name, value) in claims.iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str())) {
        match value {
            Value::Null => {}
            // The one that may be a list (RFC 8707 §2).
            Value::Array(list) if name == "resource" => {
                list.iter().filter_map(Value::as_str).for_each(|text| params.put(name, text.to_owned()));
            }
            Value::String(text) => params.put(name, text.clone()),
            other => params.put(name, other.to_string()),
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::clients::Metadata;

    const ISSUER: &str = "https://id.example.jp";
    const NOW: i64 = 1_800_000_000;

    fn client(must: bool) -> Client {
        let metadata = Metadata { require_signed_request_object: must, ..Metadata::default() };
        Client::new("app".to_owned(), metadata, Timestamp::from_millis(0))
    }

    /// A good object with some members replaced; null takes one out.
    fn object(changes: &Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "app", "aud": ISSUER, "exp": NOW + 60, "nbf": NOW, "client_id": "app", "scope": "openid",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    }

    fn check(must: bool, changes: &Value) -> Result<(), AuthorizationError> {
        check_claims(&object(changes), &client(must), ISSUER, Timestamp::from_millis(NOW * 1000))
    }

    #[test]
    fn an_object_is_from_its_client_for_this_provider_and_in_time() {
        for good in [
            json!({}),
            json!({ "aud": ["https://other", ISSUER] }),
            json!({ "exp": null, "nbf": null, "client_id": null }),
            json!({ "exp": NOW - 29, "nbf": NOW + 30 }),
            json!({ "exp": NOW + 70 * 60 }),
            json!({ "sub": "hanako" }),
        ] {
            assert_eq!(check(false, &good), Ok(()), "{good}");
        }
        for bad in [
            json!({ "iss": null }),
            json!({ "iss": "other" }),
            json!({ "iss": ["app"] }),
            json!({ "aud": null }),
            json!({ "aud": "app" }),
            json!({ "aud": [] }),
            json!({ "aud": ISSUER.to_uppercase() }),
            json!({ "client_id": "other" }),
            json!({ "client_id": 1 }),
            json!({ "sub": "app" }),
            json!({ "exp": NOW - 30 }),
            json!({ "exp": "soon" }),
            json!({ "exp": -1e300 }),
            json!({ "nbf": NOW + 31 }),
            json!({ "nbf": 1e300 }),
            json!({ "request": "x" }),
            json!({ "request_uri": "x" }),
        ] {
            assert_eq!(check(false, &bad).unwrap_err().code, "invalid_request_object", "{bad}");
        }
    }

    #[test]
    fn where_every_request_must_be_an_object_it_is_a_fresh_one() {
        assert_eq!(check(true, &json!({})), Ok(()));
        for stale in [
            json!({ "exp": null }),
            json!({ "nbf": null }),
            json!({ "exp": NOW + 70 * 60 }),
            json!({ "nbf": NOW - 61 * 60 }),
        ] {
            assert!(check(true, &stale).is_err(), "{stale}");
        }
    }

    #[test]
    fn members_are_parameters_and_those_of_the_jwt_are_not() {
        let params = parameters(&object(&json!({
            "max_age": 300, "claims": { "userinfo": { "email": null } }, "prompt": ["login"], "state": "s"
        })));
        assert_eq!(params.get("max_age"), Some("300"));
        assert_eq!(params.get("claims"), Some(r#"{"userinfo":{"email":null}}"#));
        assert_eq!(params.get("prompt"), Some(r#"["login"]"#), "a list is no prompt");
        assert_eq!((params.get("state"), params.get("aud"), params.get("exp")), (Some("s"), None, None));
    }

    proptest! {
        #[test]
        fn any_claims_are_read_or_refused(name in "[a-z_]{1,12}", number in any::<f64>(), text in ".{0,40}") {
            for value in [json!(number), json!(text), json!([text]), json!({ &text: number })] {
                let claims = object(&json!({ &name: value, "exp": number }));
                let _ = check_claims(&claims, &client(true), ISSUER, Timestamp::from_millis(NOW * 1000));
                prop_assert!(OF_THE_JWT.iter().all(|name| parameters(&claims).get(name).is_none()));
            }
        }

        #[test]
        fn any_text_is_no_object(text in ".{0,80}") {
            if let Ok(jwt) = ForeignJwt::read(&text) {
                let _ = algorithm(&jwt, &client(false));
            }
        }
    }
}
