//! The `OpenID` Connect part: what every relying party does, here by the `openidconnect` crate.

use std::{
    error::Error,
    fmt::Display,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndSessionUrl, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IdTokenFields, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse as _, UserInfoClaims, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use crate::clock::{Clock, Entropy, Timestamp};

/// The scopes that the app asks for beside `openid`, which the crate adds itself.
pub const SCOPES: [&str; 5] = ["profile", "email", "birthdate", "membership", "offline_access"];

/// Patience with the provider.
const PATIENCE: Duration = Duration::from_secs(10);

/// Claims that the standard does not name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

type TokenFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type TokenResponse = StandardTokenResponse<TokenFields, CoreTokenType>;
type IdToken = openidconnect::IdToken<
    OtherClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type IdTokenClaims = openidconnect::IdTokenClaims<OtherClaims, CoreGenderClaim>;
type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why something of the provider could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It does not answer, or not as a provider does.
    #[error("the provider cannot be used: {0}")]
    Down(String),
    /// It refuses (RFC 6749 §5.2), with this code.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Its answer does not prove what it says (OIDC Core §3.1.3.7).
    #[error("the provider's answer is not believed: {0}")]
    Unproven(String),
}

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

/// What discovery told.
struct Provider {
    client: Client,
    end_session: Option<EndSessionUrl>,
    http: reqwest::Client,
}

/// The app as the provider's client.
pub struct RelyingParty {
    issuer: String,
    origin: Url,
    client_id: ClientId,
    client_secret: ClientSecret,
    clock: Clock,
    entropy: Entropy,
    provider: Mutex<Option<Arc<Provider>>>,
}

impl RelyingParty {
    /// A client of `issuer`; nothing is fetched yet.
    pub fn new(
        issuer: &Url,
        origin: Url,
        client_id: String,
        client_secret: String,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        Self {
            // `Url` adds a slash to a bare origin; issuers are compared byte for byte.
            issuer: issuer.as_str().trim_end_matches('/').to_owned(),
            origin,
            client_id: ClientId::new(client_id),
            client_secret: ClientSecret::new(client_secret),
            clock,
            entropy,
            provider: Mutex::new(None),
        }
    }

    /// The issuer as tokens and responses name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
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

    /// Uses the refresh token (OIDC Core §12) and asks userinfo again.
    pub async fn refresh(&self, member: &SignedIn) -> Result<SignedIn, Trouble> {
        self.watched(self.renew(member).await).await
    }

    /// Where the browser ends the session at the provider (RP-Initiated Logout §2); `state` comes back.
    pub async fn logout_url(&self, member: &SignedIn, state: &str) -> Result<Url, Trouble> {
        let provider = self.provider().await?;
        let endpoint =
            provider.end_session.clone().ok_or_else(|| Trouble::Down("it has no logout".to_owned()))?;
        let home = PostLogoutRedirectUrl::new(self.origin.to_string()).map_err(down)?;
        Ok(LogoutRequest::from(endpoint)
            .set_id_token_hint(&member.id_token)
            .set_client_id(self.client_id.clone())
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
            userinfo: userinfo(&provider, response.access_token(), &subject).await?,
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

    async fn renew(&self, member: &SignedIn) -> Result<SignedIn, Trouble> {
        let provider = self.provider().await?;
        let old = member.refresh_token.as_ref().ok_or_else(|| Trouble::Refused("no_refresh_token".into()))?;
        let request = provider.client.exchange_refresh_token(old).map_err(down)?;
        let response = request.request_async(&provider.http).await.map_err(refused)?;
        let mut renewed = member.clone();
        // OIDC Core §12.2: it may come without an ID token, but never with another person's.
        if let Some(id_token) = response.id_token() {
            let claims = self.believed(&provider, id_token, response.access_token(), &member.nonce).await?;
            if *claims.subject() != member.subject {
                return Err(Trouble::Unproven("the ID token is somebody else's".to_owned()));
            }
            renewed.id_claims = object(&claims)?;
            renewed.id_token = id_token.clone();
        }
        renewed.userinfo = userinfo(&provider, response.access_token(), &member.subject).await?;
        if let Some(scopes) = response.scopes() {
            renewed.scopes = scopes.iter().map(|scope| scope.to_string()).collect();
        }
        let new = response.refresh_token();
        let rotated = new.is_some_and(|new| new.secret() != old.secret());
        renewed.refreshed = Some((self.clock.now(), rotated));
        renewed.access_until = self.end_of(&response);
        renewed.refresh_token = new.or(Some(old)).cloned();
        Ok(renewed)
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

        let first = self.verify(provider, id_token, access_token, nonce);
        let claims = match first {
            Err(SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                *self.provider.lock().await = None;
                let provider = self.provider().await?;
                self.verify(&provider, id_token, access_token, nonce)
            }
            other => other,
        };
        claims.map_err(|error| Trouble::Unproven(error.to_string()))
    }

    fn verify(
        &self,
        provider: &Provider,
        id_token: &IdToken,
        access_token: &AccessToken,
        nonce: &Nonce,
    ) -> Result<IdTokenClaims, ClaimsVerificationError> {
        let now = self.clock.now();
        let since_epoch = Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
        let verifier =
            provider.client.id_token_verifier().set_time_fn(move || (UNIX_EPOCH + since_epoch).into());
        // A renewed token may come without the nonce, but not with another (OIDC Core §12.2).
        let same = |found: Option<&Nonce>| match found {
            Some(found) if found.secret() != nonce.secret() => Err("nonce mismatch".to_owned()),
            _ => Ok(()),
        };
        let claims = id_token.claims(&verifier, same)?;
        if let Some(expected) = claims.access_token_hash() {
            let other = |error: &dyn Display| ClaimsVerificationError::Other(error.to_string());
            let alg = id_token.signing_alg().map_err(|error| other(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| other(&error))?;
            let actual =
                AccessTokenHash::from_token(access_token, alg, key).map_err(|error| other(&error))?;
            if actual != *expected {
                return Err(other(&"at_hash is another token's"));
            }
        }
        Ok(claims.clone())
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
        let provider = Arc::new(self.discover().await?);
        *known = Some(Arc::clone(&provider));
        Ok(provider)
    }

    async fn discover(&self) -> Result<Provider, Trouble> {
        // Whatever redirects here is not the provider, and a proxy has no business with this machine.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(down)?;
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(down)?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http).await.map_err(down)?;
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let callback = self.origin.join("/callback").map_err(down)?;
        let client = Client::from_provider_metadata(
            metadata,
            self.client_id.clone(),
            Some(self.client_secret.clone()),
        )
        .set_redirect_uri(RedirectUrl::from_url(callback));
        Ok(Provider { client, end_session, http })
    }

    /// Forgets a provider that failed, so that the next login discovers it anew.
    async fn watched<T>(&self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if matches!(result, Err(Trouble::Down(_))) {
            *self.provider.lock().await = None;
        }
        result
    }
}

async fn userinfo(
    provider: &Provider,
    access_token: &AccessToken,
    subject: &SubjectIdentifier,
) -> Result<Map<String, Value>, Trouble> {
    let request = provider.client.user_info(access_token.clone(), Some(subject.clone())).map_err(down)?;
    let claims: Result<UserInfoClaims<OtherClaims, CoreGenderClaim>, _> =
        request.request_async(&provider.http).await;
    match claims {
        Ok(claims) => object(&claims),
        Err(UserInfoError::ClaimsVerification(error)) => Err(Trouble::Unproven(error.to_string())),
        Err(UserInfoError::Response(status, ..)) if status.is_client_error() => {
            Err(Trouble::Refused(format!("userinfo answers {}", status.as_u16())))
        }
        Err(error) => Err(down(error)),
    }
}

fn object(claims: &impl Serialize) -> Result<Map<String, Value>, Trouble> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(mut claims)) => {
            claims.retain(|_, value| !value.is_null());
            Ok(claims)
        }
        _ => Err(Trouble::Unproven("the claims are no object".to_owned())),
    }
}

/// An error and what caused it, in one line. Answers of the provider are not in it: they may hold tokens.
fn down(error: impl Error) -> Trouble {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    Trouble::Down(reason)
}

fn refused<E: Error + 'static>(
    error: RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>,
) -> Trouble {
    match error {
        RequestTokenError::ServerResponse(answer) => Trouble::Refused(answer.error().to_string()),
        error => down(error),
    }
}
