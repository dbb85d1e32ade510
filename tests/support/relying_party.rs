//! A real relying party: the `openidconnect` crate, as an app developer would use it.

use std::{
    str::FromStr as _,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kenpos_idp::{clients::Metadata, clock::Clock};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, RefreshToken, Scope, SubjectIdentifier, TokenResponse as _,
    UserInfoClaims,
    core::{
        CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken,
        CoreIdTokenVerifier, CoreJsonWebKeySet, CoreResponseType, CoreTokenResponse,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// A client as it was registered.
#[derive(Clone, Debug)]
pub struct Registered {
    /// `client_id`.
    pub id: String,
    /// `client_secret`, unless the client is public.
    pub secret: Option<String>,
    /// What was registered.
    pub metadata: Metadata,
}

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Scopes beside `openid`.
    pub scopes: Vec<&'static str>,
    /// `prompt`.
    pub prompt: Option<CoreAuthPrompt>,
    /// `max_age`.
    pub max_age: Option<Duration>,
    /// Any other parameters.
    pub more: Vec<(&'static str, String)>,
}

impl Ask {
    /// These scopes.
    pub fn scopes(scopes: &[&'static str]) -> Self {
        Self { scopes: scopes.to_vec(), ..Self::default() }
    }

    /// No interaction, please.
    #[must_use]
    pub fn silently(self) -> Self {
        Self { prompt: Some(CoreAuthPrompt::None), ..self }
    }
}

/// An authorization request under way.
#[derive(Debug)]
pub struct Attempt {
    /// Where the browser is sent.
    pub url: Url,
    /// `state`.
    pub state: String,
    nonce: Nonce,
    verifier: String,
}

/// What a code or a refresh token was exchanged for.
#[derive(Debug)]
pub struct Tokens {
    /// Access token.
    pub access_token: String,
    /// Refresh token.
    pub refresh_token: Option<String>,
    /// Claims of the verified ID token.
    pub claims: Value,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// The ID token itself.
    pub id_token: CoreIdToken,
}

/// Claims that the crate has no name for.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct More(Map<String, Value>);
impl AdditionalClaims for More {}

type Discovered = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A relying party.
#[derive(Clone)]
pub struct RelyingParty {
    /// Its registration.
    pub client: Registered,
    metadata: ProviderMetadataWithLogout,
    http: reqwest::Client,
    clock: Clock,
}

impl RelyingParty {
    /// Learns what it needs to know about the provider.
    pub async fn discover(issuer: &str, client: Registered, clock: Clock) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let issuer = IssuerUrl::new(issuer.to_owned()).unwrap();
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http).await.unwrap();
        Self { client, metadata, http, clock }
    }

    /// Its redirect URI.
    pub fn redirect_uri(&self) -> &str {
        &self.client.metadata.redirect_uris[0]
    }

    fn oidc(&self) -> Discovered {
        let secret = self.client.secret.clone().map(ClientSecret::new);
        CoreClient::from_provider_metadata(
            self.metadata.clone(),
            ClientId::new(self.client.id.clone()),
            secret,
        )
        .set_redirect_uri(RedirectUrl::new(self.redirect_uri().to_owned()).unwrap())
    }

    /// Begins a sign-in, with PKCE, nonce and state.
    pub fn begin(&self, ask: &Ask) -> Attempt {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow: CoreAuthenticationFlow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let client = self.oidc();
        let mut request = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        for scope in &ask.scopes {
            request = request.add_scope(Scope::new((*scope).to_owned()));
        }
        if let Some(prompt) = &ask.prompt {
            request = request.add_prompt(prompt.clone());
        }
        if let Some(age) = ask.max_age {
            request = request.set_max_age(age);
        }
        for (name, value) in &ask.more {
            request = request.add_extra_param(*name, value.clone());
        }
        let (url, state, nonce) = request.url();
        Attempt { url, state: state.into_secret(), nonce, verifier: verifier.into_secret() }
    }

    /// Ends a sign-in with the address that the browser came back to.
    ///
    /// # Panics
    /// When the answer is not a code, or not an answer to this attempt.
    pub async fn finish(&self, attempt: Attempt, callback: &Url) -> Tokens {
        let code = self.code(&attempt, callback).unwrap_or_else(|error| panic!("no code: {error}"));
        self.redeem(attempt, code).await.unwrap_or_else(|error| panic!("no tokens: {error}"))
    }

    /// The code of an answer, or the `error` in it. State and issuer must be right in either.
    ///
    /// # Panics
    /// When they are not.
    pub fn code(&self, attempt: &Attempt, callback: &Url) -> Result<String, String> {
        assert!(callback.as_str().starts_with(self.redirect_uri()), "another place: {callback}");
        let get = |name: &str| {
            let mut found =
                callback.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            let first = found.next();
            assert_eq!(found.next(), None, "{name} stands there twice: {callback}");
            first
        };
        assert_eq!(get("state").as_deref(), Some(attempt.state.as_str()), "the state is another: {callback}");
        // RFC 9207 §2.4
        assert_eq!(
            get("iss").as_deref(),
            Some(self.metadata.issuer().as_str()),
            "the issuer is another: {callback}"
        );
        match (get("code"), get("error")) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => Err(error),
            _ => panic!("neither a code nor an error: {callback}"),
        }
    }

    /// Exchanges a code and verifies the ID token.
    pub async fn redeem(&self, attempt: Attempt, code: String) -> Result<Tokens, String> {
        let client = self.oidc();
        let request =
            client.exchange_code(AuthorizationCode::new(code)).map_err(|error| error.to_string())?;
        let answer = request
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| format!("{error:?}"))?;
        self.verify(&answer, Some(&attempt.nonce))
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, token: &str) -> Result<Tokens, String> {
        let token = RefreshToken::new(token.to_owned());
        let client = self.oidc();
        let request = client.exchange_refresh_token(&token).map_err(|error| error.to_string())?;
        let answer = request.request_async(&self.http).await.map_err(|error| format!("{error:?}"))?;
        self.verify(&answer, None)
    }

    /// Signature, issuer, audience, times, nonce and `at_hash` of the ID token. That of a refresh may come
    /// without the nonce (OIDC Core §12.2).
    fn verify(&self, answer: &CoreTokenResponse, nonce: Option<&Nonce>) -> Result<Tokens, String> {
        let client = self.oidc();
        let verifier = self.verifier(&client);
        let id_token = answer.id_token().expect("an ID token").clone();
        let expected = |found: Option<&Nonce>| match (nonce, found) {
            (Some(nonce), Some(found)) if nonce.secret() == found.secret() => Ok(()),
            (None, _) => Ok(()),
            _ => Err("the nonce is another".to_owned()),
        };
        let claims = id_token.claims(&verifier, expected).map_err(|error| format!("{error:?}"))?;
        let alg = id_token.signing_alg().unwrap();
        let hash =
            AccessTokenHash::from_token(answer.access_token(), alg, id_token.signing_key(&verifier).unwrap());
        assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));
        let text = id_token.to_string();
        let payload = BASE64_URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap();
        Ok(Tokens {
            access_token: answer.access_token().secret().clone(),
            refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
            claims: serde_json::from_slice(&payload).unwrap(),
            scopes: answer.scopes().into_iter().flatten().map(|scope| scope.to_string()).collect(),
            id_token,
        })
    }

    /// What the library finds right or wrong, by the clock of the story.
    fn verifier<'a>(&self, client: &'a Discovered) -> CoreIdTokenVerifier<'a> {
        let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.clock.now().millis()).unwrap());
        client.id_token_verifier().set_time_fn(move || now.into())
    }

    /// Whether the library takes this for an ID token of the provider, by the keys that it has.
    pub fn takes(&self, id_token: &str) -> Result<(), String> {
        let id_token = CoreIdToken::from_str(id_token).map_err(|error| error.to_string())?;
        let client = self.oidc();
        let any_nonce = |_: Option<&Nonce>| Ok(());
        id_token.claims(&self.verifier(&client), any_nonce).map(|_| ()).map_err(|error| format!("{error:?}"))
    }

    /// Asks the provider for its keys again, which else are those of the discovery.
    pub async fn fetch_keys(&mut self) {
        let keys = CoreJsonWebKeySet::fetch_async(self.metadata.jwks_uri(), &self.http).await.unwrap();
        self.metadata = self.metadata.clone().set_jwks(keys);
    }

    /// The claims of userinfo, whose subject must be that of the ID token.
    pub async fn userinfo(&self, tokens: &Tokens) -> Result<Value, String> {
        let subject = SubjectIdentifier::new(tokens.claims["sub"].as_str().unwrap().to_owned());
        let client = self.oidc();
        let request = client
            .user_info(AccessToken::new(tokens.access_token.clone()), Some(subject))
            .map_err(|error| error.to_string())?;
        let claims: UserInfoClaims<More, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| format!("{error:?}"))?;
        Ok(serde_json::to_value(claims).unwrap())
    }

    /// Where to send the browser to sign out (RP-Initiated Logout).
    pub fn logout_url(&self, tokens: &Tokens, state: &str) -> Url {
        let endpoint = self.metadata.additional_metadata().end_session_endpoint.clone();
        let goodbye = self.client.metadata.post_logout_redirect_uris[0].clone();
        LogoutRequest::from(endpoint.expect("an end_session_endpoint"))
            .set_id_token_hint(&tokens.id_token)
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(goodbye).unwrap())
            .set_state(CsrfToken::new(state.to_owned()))
            .http_get_url()
    }
}
