//! What a client registers, in the names of OIDC Registration §2, RFC 7591 §2 and the logout
//! specifications; the rules of it are in [`super::rules`].

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    MetadataError, redirect_uri,
    values::{
        AccessTokenFormat, ApplicationType, AssertionAlgorithm, AuthMethod, GrantType, GrantTypes,
        ResponseTypes, Shown, SubjectType,
    },
};
use crate::{
    crypto::{Algorithm, ContentEncryption, KeyManagement},
    texts::Locale,
};

/// How the scopes of the operators' API begin.
pub const API_SCOPE: &str = "admin:";

/// What a client registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the standards or of ours")]
pub struct Metadata {
    /// Name on the login and consent pages.
    pub client_name: String,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<String>,
    /// See [`ResponseTypes`].
    pub response_types: ResponseTypes,
    /// See [`GrantTypes`].
    pub grant_types: GrantTypes,
    /// See [`ApplicationType`].
    pub application_type: ApplicationType,
    /// E-mail addresses of those who are responsible for the client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Picture on the login and consent pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// How it uses what it learns of the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its public keys themselves; never beside `jwks_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Document that lists the redirect URIs of its sector; the host of this URL is the sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// See [`SubjectType`].
    pub subject_type: SubjectType,
    /// JWS algorithm of ID tokens; RS256 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// JWE `alg` of ID tokens; absent: they are not encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagement>,
    /// JWE `enc` of ID tokens; A128CBC-HS256 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// JWS algorithm of userinfo; absent: plain JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// JWE `alg` of userinfo; absent: it is not encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagement>,
    /// JWE `enc` of userinfo; A128CBC-HS256 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// JWS algorithm that request objects must have; absent: any that the provider knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<Algorithm>,
    /// Whether every authorization request must be a signed request object (RFC 9101 §10.5).
    #[serde(skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    /// `request_uri` values that it may use; a fragment may hold the hash of the content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// See [`AuthMethod`].
    pub token_endpoint_auth_method: AuthMethod,
    /// Algorithm that client assertions must have; absent: any that the provider knows for the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// Seconds since the sign-in after which the member must sign in again, where a request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether ID tokens must have `auth_time`; ours always do.
    #[serde(skip_serializing_if = "is_false")]
    pub require_auth_time: bool,
    /// `acr` values that requests ask for, where one does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Page that starts a login (OIDC Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Where members may go after they signed out (RP-Initiated Logout §3.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens go (Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether logout tokens must have `sid`; ours always do.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// Page that signs out when it is loaded (Front-Channel Logout §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether that page gets `iss` and `sid`.
    #[serde(skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
    /// Whether authorization requests must be pushed (RFC 9126 §6).
    #[serde(skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    /// Name of the software, the same for all its installations (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Version of the software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Scopes that it may ask for, space-separated; others are left out of what it gets.
    pub scope: String,

    /// Sector of pairwise subjects, when the redirect URIs have more than one host. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// See [`AccessTokenFormat`]. Ours.
    pub access_token_format: AccessTokenFormat,
    /// Resource servers that it may ask tokens for (RFC 8707 §2). Ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Resource servers for which it may introspect the tokens of other clients. Ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<String>,
    /// Seconds that its access tokens live, where that is less than the configuration says. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// Seconds that its ID tokens live, where that is less than the configuration says. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<u64>,
    /// Seconds after which its refresh tokens end in any case, where that is less than the configuration
    /// says. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<u64>,
    /// Whether `aud` of its assertions must be the issuer as text, and nothing else (FAPI 2.0 §5.3.2.1). Ours.
    #[serde(skip_serializing_if = "is_false")]
    pub strict_assertions: bool,
    /// Runs a 健康保険事業, so it may ask for `insured_number` (健康保険法 §194-2 forbids it to others).
    pub health_insurance_business: bool,
    /// Whether a code may be had without PKCE; never for public clients.
    pub pkce_optional: bool,
    /// Portal code of the insurer whose members alone may sign in to it; everybody's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,

    /// Names and links in other languages: `client_name#en`, `policy_uri#ja` (OIDC Registration §2.1).
    #[serde(flatten)]
    pub translations: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Metadata {
    /// Metadata of its JSON; an error names the field.
    pub fn from_fields(fields: Map<String, Value>) -> Result<Self, MetadataError> {
        for (name, value) in &fields {
            if let Err(error) = serde_json::from_value::<Self>(json!({ name: value })) {
                return Err(MetadataError::new("metadata", format!("{name}: {error}")));
            }
        }
        serde_json::from_value(Value::Object(fields)).map_err(|error| MetadataError::new("metadata", error))
    }

    /// The JSON of it, field by field.
    pub fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// The same with some fields changed (RFC 7396): `null` removes one, what is not named stays.
    pub fn with_fields(&self, changes: Map<String, Value>) -> Result<Self, MetadataError> {
        let mut fields = self.fields();
        fields.extend(changes);
        fields.retain(|_, value| !value.is_null());
        Self::from_fields(fields)
    }

    /// Names of the fields in which it differs from `other`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (mine, theirs) = (self.fields(), other.fields());
        let names: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
        names.into_iter().filter(|name| mine.get(*name) != theirs.get(*name)).cloned().collect()
    }

    /// What is shown to a reader of this language: the translation (`#en`, then `#en-GB` and its like),
    /// or what has no tag.
    pub fn shown(&self, what: Shown, locale: Locale) -> Option<&str> {
        let translated = self.translations.iter().filter_map(|(name, text)| {
            let (field, tag) = name.split_once('#')?;
            let language = tag.split('-').next().unwrap_or(tag);
            let fits = field == what.field() && language.eq_ignore_ascii_case(locale.tag());
            fits.then_some((tag.len(), text.as_str()))
        });
        let plain = match what {
            Shown::Name => Some(self.client_name.as_str()),
            Shown::Logo => self.logo_uri.as_deref(),
            Shown::Home => self.client_uri.as_deref(),
            Shown::Policy => self.policy_uri.as_deref(),
            Shown::Terms => self.tos_uri.as_deref(),
        };
        translated.min_by_key(|(length, _)| *length).map(|(_, text)| text).or(plain)
    }

    /// Whether the client may ask for a scope.
    pub fn allows(&self, scope: &str) -> bool {
        self.scope.split_ascii_whitespace().any(|allowed| allowed == scope)
    }

    /// Whether it is a program that uses the operators' API.
    pub fn is_for_api(&self) -> bool {
        self.scope.split_ascii_whitespace().any(|scope| scope.starts_with(API_SCOPE))
    }

    /// Whether the client may use a grant type. Whoever may ask for `offline_access` may use the refresh
    /// token that comes of it.
    pub fn allows_grant(&self, grant: GrantType) -> bool {
        self.grant_types.0.contains(&grant)
            || (grant == GrantType::RefreshToken && self.allows("offline_access"))
    }

    /// Whether the client may ask for a response type; its words may stand in any order.
    pub fn allows_response_type(&self, requested: &str) -> bool {
        self.response_types.0.iter().any(|known| same_words(known, requested))
    }

    /// How long its access tokens live, at most as long as given.
    pub fn access_token_lifetime(&self, most: Duration) -> Duration {
        at_most(self.access_token_lifetime, most)
    }

    /// How long its ID tokens live, at most as long as given.
    pub fn id_token_lifetime(&self, most: Duration) -> Duration {
        at_most(self.id_token_lifetime, most)
    }

    /// When its refresh tokens end in any case, at most as long as given.
    pub fn refresh_token_lifetime(&self, most: Duration) -> Duration {
        at_most(self.refresh_token_lifetime, most)
    }

    /// The sector of pairwise subjects (OIDC Core §8.1): the one given, the host of the sector document, or
    /// the host that all redirect URIs share; a private-use scheme stands for itself.
    pub fn sector_identifier(&self) -> Option<String> {
        if let Some(sector) = &self.sector {
            return Some(sector.clone());
        }
        if let Some(uri) = &self.sector_identifier_uri {
            return redirect_uri::host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| {
            redirect_uri::host(uri).or_else(|| uri.split_once(':').map(|(scheme, _)| scheme.to_owned()))
        });
        let first = hosts.next()??;
        hosts.all(|host| host.as_deref() == Some(first.as_str())).then_some(first)
    }
}

fn at_most(seconds: Option<u64>, most: Duration) -> Duration {
    seconds.map_or(most, |seconds| Duration::from_secs(seconds).min(most))
}

/// Whether two space-separated lists hold the same words.
pub(super) fn same_words(a: &str, b: &str) -> bool {
    let sorted = |text: &'_ str| {
        let mut words: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    sorted(a) == sorted(b)
}
