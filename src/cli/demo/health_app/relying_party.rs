//! The `OpenID` Connect part: what every relying party does, here by the `openidconnect` crate.

use std::sync::Arc;

use openidconnect::{
    AccessToken, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, RefreshToken, Scope, SignatureVerificationError, SubjectIdentifier,
    TokenResponse as _,
    core::{CoreAuthPrompt, CoreAuthenticationFlow},
};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::provider::{
    IdToken, IdTokenClaims, Provider, Registration, TokenResponse, Trouble, down, object, refused,
};
use crate::clock::{Clock, Entropy, Timestamp};

/// The scopes that the app asks for beside `openid`, which the crate adds itself.
pub const SCOPES: [&str; 5] = ["profile", "email", "birthdate", "membership", "offline_access"];

/// A login that was begun (OIDC Core §3.1.2.1), to be kept by the browser's session until the callback.
pub struct Attempt {
    /// Binds the callback to this browser.
    pub state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

#[cfg(test)]
impl Attempt {
    /// A login that nobody began.
    pub fn sample(state: &str) -> Self {
        let verifier = PkceCodeVerifier::new("v".repeat(43));
        Self { state: state.to_owned(), nonce: Nonce::new("n".to_owned()), verifier }
    }
}

/// What the app knows of a member who signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// Claims of the verified ID token.
    pub id_claims: Map<String, Value>,
    /// Claims of the userinfo endpoint.
    pub userinfo: Map<String, Value>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// End of the access token, if it was said.
    pub access_until: Option<Timestamp>,
    /// When the claims were fetched anew, and whether the refresh token was another one then.
    pub refreshed: Option<(Timestamp, bool)>,
    id_token: IdToken,
    subject: SubjectIdentifier,
    nonce: Nonce,
    refresh_token: Option<RefreshToken>,
}

impl SignedIn {
    /// Whether there is a refresh token.
    pub const fn can_refresh(&self) -> bool {
        self.refresh_token.is_some()
    }
}

#[cfg(test)]
impl SignedIn {
    /// A member who never signed in, with the same claims everywhere.
    pub fn sample(claims: &Value) -> Self {
        let id_token = "e30.eyJpc3MiOiJodHRwOi8vYSIsImF1ZCI6ImEiLCJzdWIiOiJhIiwiZXhwIjoxLCJpYXQiOjF9.";
        let claims = claims.as_object().cloned().unwrap_or_default();
        Self {
            id_claims: claims.clone(),
            userinfo: claims,
            scopes: SCOPES.map(str::to_owned).to_vec(),
            access_until: Some(Timestamp::from_millis(1_795_396_500_000)),
            refreshed: Some((Timestamp::from_millis(1_795_396_500_000), true)),
            id_token: id_token.replace("e30.", "eyJhbGciOiJSUzI1NiJ9.").parse().unwrap(),
            subject: SubjectIdentifier::new("a".to_owned()),
            nonce: Nonce::new("n".to_owned()),
            refresh_token: Some(RefreshToken::new("r".to_owned())),
        }
    }
}

/// The app as the provider's client.
pub struct RelyingParty {
    registration: Registration,
    clock: Clock,
    entropy: Entropy,
    provider: Mutex<Option<Arc<Provider>>>,
}

impl RelyingParty {
    /// A client of `issuer`; nothing is fetched yet.
    pub fn new(
        issuer: Url,
        origin: Url,
        client_id: String,
        client_secret: String,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        // `Url` adds a slash to a bare origin; issuers are compared byte for byte.
        let mut issuer = String::from(issuer);
        issuer.truncate(issuer.trim_end_matches('/').len());
        let registration = Registration {
            issuer,
            origin,
            client_id: ClientId::new(client_id),
            client_secret: ClientSecret::new(client_secret),
        };
        Self { registration, clock, entropy, provider: Mutex::new(None) }
    }

    /// The issuer as tokens and responses name it.
    pub fn issuer(&self) -> &str {
        &self.registration.issuer
    }

    /// Begins a login and gives where to send the browser; `prompt` as in OIDC Core §3.1.2.1.
    pub async fn begin(&self, prompt: Option<&str>) -> Result<(Url, Attempt), Trouble> {
        let provider = self.provider().await?;
        let verifier = PkceCodeVerifier::new(self.entropy.secret());
        let (state, nonce) = (CsrfToken::new(self.entropy.secret()), Nonce::new(self.entropy.secret()));
        let mut request = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if let Some(prompt) = prompt {
            request = request.add_prompt(CoreAuthPrompt::Extension(prompt.to_owned()));
        }
        let (url, state, nonce) = request.url();
        Ok((url, Attempt { state: state.into_secret(), nonce, verifier }))
    }

    /// Redeems the code of a callback (OIDC Core §3.1.3) and asks userinfo.
    pub async fn finish(&self, code: String, attempt: Attempt) -> Result<SignedIn, Trouble> {
        self.watched(self.redeem(code, attempt).await).await
    }

    /// Uses the refresh token (OIDC Core §12) and asks userinfo again. What came before an error is kept in
    /// `member` all the same.
    pub async fn refresh(&self, member: &mut SignedIn) -> Result<(), Trouble> {
        self.watched(self.renew(member).await).await
    }

    /// Where the browser ends the session at the provider (RP-Initiated Logout §2); `state` comes back.
    pub async fn logout_url(&self, member: &SignedIn, state: &str) -> Result<Url, Trouble> {
        let provider = self.provider().await?;
        let endpoint =
            provider.end_session.clone().ok_or_else(|| Trouble::Down("it has no logout".to_owned()))?;
        let home = PostLogoutRedirectUrl::new(self.registration.origin.to_string()).map_err(down)?;
        Ok(LogoutRequest::from(endpoint)
            .set_id_token_hint(&member.id_token)
            .set_client_id(self.registration.client_id.clone())
            .set_post_logout_redirect_uri(home)
            .set_state(CsrfToken::new(state.to_owned()))
            .http_get_url())
    }

    async fn redeem(&self, code: String, attempt: Attempt) -> Result<SignedIn, Trouble> {
        let provider = self.provider().await?;
        let request = provider
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(down)?
            .set_pkce_verifier(attempt.verifier);
        let response = request.request_async(&provider.http).await.map_err(refused)?;
        let id_token = response.id_token().cloned();
        let id_token = id_token.ok_or_else(|| Trouble::Unproven("there is no ID token".to_owned()))?;
        let claims = self.believed(&provider, &id_token, response.access_token(), &attempt.nonce).await?;
        if claims.nonce().is_none() {
            return Err(Trouble::Unproven("the ID token has no nonce".to_owned()));
        }
        let subject = claims.subject().clone();
        Ok(SignedIn {
            id_claims: object(&claims)?,
            userinfo: provider.userinfo(response.access_token(), &subject).await?,
            scopes: match response.scopes() {
                Some(scopes) => scopes.iter().map(|scope| scope.to_string()).collect(),
                // No word of them means all that were asked for (RFC 6749 §5.1).
                None => ["openid"].into_iter().chain(SCOPES).map(str::to_owned).collect(),
            },
            access_until: self.end_of(&response),
            refreshed: None,
            refresh_token: response.refresh_token().cloned(),
            nonce: attempt.nonce,
            id_token,
            subject,
        })
    }

    async fn renew(&self, member: &mut SignedIn) -> Result<(), Trouble> {
        let provider = self.provider().await?;
        let old = member.refresh_token.clone();
        let old = old.ok_or_else(|| Trouble::Refused("there is no refresh token".to_owned()))?;
        let request = provider.client.exchange_refresh_token(&old).map_err(down)?;
        let response = request.request_async(&provider.http).await.map_err(refused)?;
        let rotated = response.refresh_token().filter(|new| new.secret() != old.secret());
        // Kept before anything else can fail: the old one is spent.
        member.refresh_token = Some(rotated.cloned().unwrap_or(old));
        member.access_until = self.end_of(&response);
        // OIDC Core §12.2: it may come without an ID token, but never with another person's.
        if let Some(id_token) = response.id_token() {
            let claims = self.believed(&provider, id_token, response.access_token(), &member.nonce).await?;
            if *claims.subject() != member.subject {
                return Err(Trouble::Unproven("the ID token is somebody else's".to_owned()));
            }
            member.id_claims = object(&claims)?;
            member.id_token = id_token.clone();
        }
        if let Some(scopes) = response.scopes() {
            member.scopes = scopes.iter().map(|scope| scope.to_string()).collect();
        }
        member.userinfo = provider.userinfo(response.access_token(), &member.subject).await?;
        member.refreshed = Some((self.clock.now(), rotated.is_some()));
        Ok(())
    }

    /// The claims of an ID token that proves itself. An unknown key may be a new one, so the keys are
    /// fetched once more then (OIDC Core §10.1.1).
    async fn believed(
        &self,
        provider: &Provider,
        id_token: &IdToken,
        access_token: &AccessToken,
        nonce: &Nonce,
    ) -> Result<IdTokenClaims, Trouble> {
        use ClaimsVerificationError::SignatureVerification;

        let first = provider.verify(id_token, access_token, nonce, self.clock.now());
        let claims = match first {
            Err(SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                *self.provider.lock().await = None;
                let provider = self.provider().await?;
                provider.verify(id_token, access_token, nonce, self.clock.now())
            }
            other => other,
        };
        claims.map_err(|error| Trouble::Unproven(error.to_string()))
    }

    fn end_of(&self, response: &TokenResponse) -> Option<Timestamp> {
        response.expires_in().map(|life| self.clock.now().plus(life))
    }

    /// The provider, discovered at the first need (OIDC Discovery §4).
    async fn provider(&self) -> Result<Arc<Provider>, Trouble> {
        let mut known = self.provider.lock().await;
        if let Some(provider) = &*known {
            return Ok(Arc::clone(provider));
        }
        let provider = Arc::new(Provider::discover(&self.registration).await?);
        *known = Some(Arc::clone(&provider));
        Ok(provider)
    }

    /// Forgets a provider that failed, so that the next login discovers it anew.
    async fn watched<T>(&self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if matches!(result, Err(Trouble::Down(_))) {
            *self.provider.lock().await = None;
        }
        result
    }
}
