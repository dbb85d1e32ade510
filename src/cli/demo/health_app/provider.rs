//! The provider as discovery shows it, and what its answers must prove.

use std::{
    error::Error,
    fmt::Display,
    time::{Duration, UNIX_EPOCH},
};

use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, ClaimsVerificationError, ClientId, ClientSecret,
    EmptyExtraTokenFields, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    IssuerUrl, Nonce, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, StandardErrorResponse,
    StandardTokenResponse, SubjectIdentifier, UserInfoClaims, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::clock::Timestamp;

/// Patience with the provider.
const PATIENCE: Duration = Duration::from_secs(10);

/// Claims that the standard does not name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// What a token response has beyond OAuth.
pub type TokenFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
/// A token response (OIDC Core §3.1.3.3).
pub type TokenResponse = StandardTokenResponse<TokenFields, CoreTokenType>;
/// An ID token that nobody verified yet.
pub type IdToken = openidconnect::IdToken<
    OtherClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
/// The claims of an ID token.
pub type IdTokenClaims = openidconnect::IdTokenClaims<OtherClaims, CoreGenderClaim>;
/// The crate's client, with the endpoints that discovery gives.
pub type Client = openidconnect::Client<
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

/// The app as it is registered with its provider.
pub struct Registration {
    /// The issuer, letter for letter as it names itself.
    pub issuer: String,
    /// Where the app is.
    pub origin: Url,
    /// `client_id`.
    pub client_id: ClientId,
    /// `client_secret`.
    pub client_secret: ClientSecret,
}

/// What discovery told.
pub struct Provider {
    /// Speaks to the endpoints.
    pub client: Client,
    /// Where sessions are ended (RP-Initiated Logout §2.1).
    pub end_session: Option<EndSessionUrl>,
    /// What requests go out by.
    pub http: reqwest::Client,
}

impl Provider {
    /// Fetches the metadata and the keys (OIDC Discovery §4).
    pub async fn discover(registration: &Registration) -> Result<Self, Trouble> {
        // Whatever redirects here is not the provider, and a proxy has no business with this machine.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(down)?;
        let issuer = IssuerUrl::new(registration.issuer.clone()).map_err(down)?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http).await.map_err(down)?;
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let callback = registration.origin.join("/callback").map_err(down)?;
        let client = Client::from_provider_metadata(
            metadata,
            registration.client_id.clone(),
            Some(registration.client_secret.clone()),
        )
        .set_redirect_uri(RedirectUrl::from_url(callback));
        Ok(Self { client, end_session, http })
    }

    /// The claims of an ID token that proves itself at `now`: the crate checks signature, issuer, audience
    /// and expiry, and here the nonce and the access token that it came with are checked.
    pub fn verify(
        &self,
        id_token: &IdToken,
        access_token: &AccessToken,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<IdTokenClaims, ClaimsVerificationError> {
        let since_epoch = Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
        let verifier = self.client.id_token_verifier().set_time_fn(move || (UNIX_EPOCH + since_epoch).into());
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

    /// The claims of the userinfo endpoint (OIDC Core §5.3), which must be of this subject.
    pub async fn userinfo(
        &self,
        access_token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Map<String, Value>, Trouble> {
        let request = self.client.user_info(access_token.clone(), Some(subject.clone())).map_err(down)?;
        let claims: Result<UserInfoClaims<OtherClaims, CoreGenderClaim>, _> =
            request.request_async(&self.http).await;
        match claims {
            Ok(claims) => object(&claims),
            Err(UserInfoError::ClaimsVerification(error)) => Err(Trouble::Unproven(error.to_string())),
            Err(UserInfoError::Response(status, ..)) if status.is_client_error() => {
                Err(Trouble::Refused(format!("userinfo answers {}", status.as_u16())))
            }
            Err(error) => Err(down(error)),
        }
    }
}

/// Claims as they are shown.
pub fn object(claims: &impl Serialize) -> Result<Map<String, Value>, Trouble> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(mut claims)) => {
            claims.retain(|_, value| !value.is_null());
            Ok(claims)
        }
        _ => Err(Trouble::Unproven("the claims are no object".to_owned())),
    }
}

/// An error and what caused it, in one line. Answers of the provider are not in it: they may hold tokens.
pub fn down(error: impl Error) -> Trouble {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    Trouble::Down(reason)
}

/// What went wrong at the token endpoint.
pub fn refused<E: Error + 'static>(
    error: RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>,
) -> Trouble {
    match error {
        RequestTokenError::ServerResponse(answer) => Trouble::Refused(answer.error().to_string()),
        error => down(error),
    }
}
