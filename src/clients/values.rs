//! The values that metadata is made of, by the names of the standards.

use serde::{Deserialize, Serialize};

use crate::crypto::Algorithm;

/// How a client proves itself at the endpoints that it calls itself (OIDC Core §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Secret in the Authorization header.
    #[default]
    ClientSecretBasic,
    /// Secret in the form body.
    ClientSecretPost,
    /// JWT signed with the secret (RFC 7523).
    ClientSecretJwt,
    /// JWT signed with the client's own key (RFC 7523).
    PrivateKeyJwt,
    /// No secret: a public client, which PKCE protects.
    None,
}

impl AuthMethod {
    /// Every method, as metadata lists them.
    pub const ALL: [Self; 5] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// Name in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether clients of this method have a secret.
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }
}

/// Algorithm of a client assertion: the client's own key, or HMAC with its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AssertionAlgorithm {
    /// With the client's private key.
    Key(Algorithm),
    /// With the client's secret.
    Secret(Hmac),
}

/// MAC algorithm of `client_secret_jwt` (RFC 7518 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hmac {
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
}

/// Where the client runs (OIDC Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server or in a browser.
    #[default]
    Web,
    /// On the member's own device.
    Native,
}

/// Whether relying parties can compare subjects (OIDC Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// Another `sub` in each sector.
    #[default]
    Pairwise,
    /// The same `sub` everywhere; only for a client that is flagged so.
    Public,
}

/// A way to tokens (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.2, and the ID token of OIDC Core §3.2.
    Implicit,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// OpenID CIBA Core 1.0 §4.
    #[serde(rename = "urn:openid:params:grant-type:ciba")]
    Ciba,
}

impl GrantType {
    /// Name in requests and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::Implicit => "implicit",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Ciba => "urn:openid:params:grant-type:ciba",
        }
    }
}

/// `grant_types`; absent means the authorization code alone (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantTypes(pub Vec<GrantType>);

impl Default for GrantTypes {
    fn default() -> Self {
        Self(vec![GrantType::AuthorizationCode])
    }
}

/// `response_types`; absent means `code` alone (RFC 7591 §2). The words of one may stand in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseTypes(pub Vec<String>);

impl Default for ResponseTypes {
    fn default() -> Self {
        Self(vec!["code".to_owned()])
    }
}

/// What an access token is to its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessTokenFormat {
    /// Random; the resource server asks at `/introspect`.
    #[default]
    #[serde(rename = "opaque")]
    Opaque,
    /// A JWT (RFC 9068).
    #[serde(rename = "at+jwt")]
    Jwt,
}

/// What members read or follow, so that it can have translations (OIDC Registration §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// `client_name`
    Name,
    /// `logo_uri`
    Logo,
    /// `client_uri`
    Home,
    /// `policy_uri`
    Policy,
    /// `tos_uri`
    Terms,
}

impl Shown {
    /// Each.
    pub const ALL: [Self; 5] = [Self::Name, Self::Logo, Self::Home, Self::Policy, Self::Terms];

    /// Name in metadata.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Name => "client_name",
            Self::Logo => "logo_uri",
            Self::Home => "client_uri",
            Self::Policy => "policy_uri",
            Self::Terms => "tos_uri",
        }
    }
}
