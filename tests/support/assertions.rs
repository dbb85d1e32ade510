//! Clients that prove themselves with signed assertions (RFC 7523).

use std::sync::Arc;

use kenpos_idp::crypto::{Algorithm, KeyState, Keyring, SigningKey};
use serde_json::{Value, json};

use super::{app::TestApp, attack::Answer};

/// `client_assertion_type`
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key of a client.
pub struct ClientKey {
    alg: Algorithm,
    ring: Keyring,
}

impl ClientKey {
    /// A new one.
    pub fn new(alg: Algorithm) -> Self {
        let key = SigningKey::generate(alg).unwrap();
        Self { alg, ring: Keyring::new(vec![(Arc::new(key), KeyState::Active)]) }
    }

    /// Its public JWK Set.
    pub fn jwks(&self) -> Value {
        self.ring.jwks().clone()
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(None, claims)
    }

    /// The same with a `typ`.
    pub fn sign_as(&self, typ: Option<&str>, claims: &Value) -> String {
        self.ring.sign(self.alg, typ, claims).unwrap()
    }
}

impl TestApp {
    /// The claims of a good assertion; `jti` makes it another one.
    pub fn assertion_claims(&self, client_id: &str, jti: &str) -> Value {
        let now = self.clock.now().seconds();
        json!({
            "iss": client_id, "sub": client_id, "aud": self.url("/token"), "jti": jti,
            "iat": now, "exp": now + 60,
        })
    }

    /// POST `/token` with an assertion and a code that nobody issued: `invalid_grant` means that the client
    /// proved itself.
    pub async fn prove(&self, assertion: &str) -> Answer {
        self.token_with(&[], &with_assertion(assertion)).await
    }
}

/// The fields of [`TestApp::prove`].
pub fn with_assertion(assertion: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", "unknown"),
        ("redirect_uri", "https://app.example.jp/callback"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ]
}
