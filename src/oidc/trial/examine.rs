//! Tokens taken apart, and looked at as a relying party has to (OIDC Core §3.1.3.7).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Trial;
use crate::{app::App, clients::Client, crypto::jwt, oidc::access_token::signing_algorithm};

/// What a token turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JWT; whether one of our keys signed it.
    Signed {
        /// Header.
        header: Value,
        /// Claims.
        claims: Value,
        /// Whether the signature holds.
        verified: bool,
    },
    /// Encrypted to a key of the client (RFC 7516).
    Encrypted {
        /// Header.
        header: Value,
    },
    /// Not to be read by anybody.
    Opaque,
}

/// A token with what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Its name in the answer.
    pub name: &'static str,
    /// What it is.
    pub form: Form,
}

/// Takes the tokens of an answer apart, and names each check of the ID token with its outcome.
pub fn examine(
    app: &App,
    client: &Client,
    trial: &Trial,
    body: &Value,
) -> (Vec<Examined>, Vec<(&'static str, bool)>) {
    let keyring = app.signing.current();
    let mut tokens = Vec::new();
    for name in ["id_token", "access_token", "refresh_token"] {
        let Some(text) = body[name].as_str() else { continue };
        let verified = match name {
            "id_token" => keyring.verify(text).is_ok(),
            _ => keyring.verify_typed("at+jwt", text).is_ok(),
        };
        tokens.push(Examined { name, form: take_apart(text, verified) });
    }
    let checks = match tokens.first() {
        Some(Examined { name: "id_token", form: Form::Signed { claims, verified, .. } }) => {
            let known = Known {
                issuer: &app.config().server.issuer,
                client_id: &client.id,
                nonce: &trial.nonce,
                now: app.now().seconds(),
                at_hash: body["access_token"].as_str().map(|t| jwt::at_hash(signing_algorithm(client), t)),
            };
            let mut checks = vec![("signature", *verified)];
            checks.extend(known.check(claims));
            checks
        }
        _ => Vec::new(),
    };
    (tokens, checks)
}

fn take_apart(text: &str, verified: bool) -> Form {
    let parts: Vec<&str> = text.split('.').collect();
    let json = |part: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    match parts.as_slice() {
        [header, claims, _] => match (json(header), json(claims)) {
            (Some(header), Some(claims)) => Form::Signed { header, claims, verified },
            _ => Form::Opaque,
        },
        [header, _, _, _, _] => json(header).map_or(Form::Opaque, |header| Form::Encrypted { header }),
        _ => Form::Opaque,
    }
}

/// What a relying party knows beforehand.
struct Known<'a> {
    issuer: &'a str,
    client_id: &'a str,
    nonce: &'a str,
    now: i64,
    at_hash: Option<String>,
}

impl Known<'_> {
    fn check(&self, claims: &Value) -> [(&'static str, bool); 5] {
        let aud = &claims["aud"];
        let ours = aud == self.client_id
            || aud.as_array().is_some_and(|list| list.iter().any(|one| one == self.client_id));
        [
            ("iss", claims["iss"] == self.issuer),
            ("aud", ours),
            ("nonce", claims["nonce"] == self.nonce),
            ("exp", claims["exp"].as_i64().is_some_and(|end| end > self.now)),
            ("at_hash", claims["at_hash"].as_str() == self.at_hash.as_deref()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jwt(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    #[test]
    fn a_token_is_taken_apart_or_left_alone() {
        let (header, claims) = (json!({ "alg": "RS256" }), json!({ "sub": "x" }));
        let text = jwt(&header, &claims);
        assert_eq!(take_apart(&text, true), Form::Signed { header: header.clone(), claims, verified: true });
        let sealed = format!("{}.a.b.c.d", BASE64_URL_SAFE_NO_PAD.encode(header.to_string()));
        assert_eq!(take_apart(&sealed, false), Form::Encrypted { header });
        for opaque in ["", "abc", "a.b", "a.b.c", "grant.0.mac", "....", "a.b.c.d.e"] {
            assert_eq!(take_apart(opaque, true), Form::Opaque, "{opaque}");
        }
    }

    #[test]
    fn each_check_finds_its_own_fault() {
        let known = Known {
            issuer: "https://op.example",
            client_id: "app",
            nonce: "n",
            now: 100,
            at_hash: Some("h".to_owned()),
        };
        let good =
            json!({ "iss": "https://op.example", "aud": "app", "nonce": "n", "exp": 101, "at_hash": "h" });
        let faults = |claims: &Value| {
            let failed = known.check(claims).into_iter().filter(|(_, good)| !good);
            failed.map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(faults(&good), [""; 0]);
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("aud", json!(["other"])),
            ("nonce", Value::Null),
            ("exp", json!(100)),
            ("at_hash", json!("x")),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(faults(&bad), [name]);
        }
        let mut several = good;
        several["aud"] = json!(["other", "app"]);
        assert_eq!(faults(&several), [""; 0]);
    }
}
