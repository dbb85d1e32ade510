//! The fields of a client as forms have them: as text, each explained by `clients-hint-NAME`. What they are
//! made into is the JSON of [`Metadata`](crate::clients::Metadata), which the rules check.

mod values;
mod view;

pub use values::{Typed, Values};
pub use view::{FieldView, Offer, Word};

use crate::{clients::MetadataError, web::templates::Message};

/// How a field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Text,
    /// Several lines, each a value.
    Lines,
    /// A number of seconds.
    Seconds,
    /// Yes or no.
    Flag,
    /// A JSON object.
    Json,
    /// One of several.
    Choice(Source),
    /// Some of several; in the JSON one text of words if `true`, else a list.
    Several(Source, bool),
    /// One of the insurers, or all.
    Insurer,
}

/// What there is to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// These, each explained by a text `clients-option-VALUE`.
    Told(&'static [&'static str]),
    /// These, which speak for themselves.
    Plain(&'static [&'static str]),
    /// Algorithms that have a signing key.
    Signing,
    /// Scopes.
    Scopes,
    /// Grant types.
    Grants,
    /// Response types.
    Responses,
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in the form.
    pub name: &'static str,
    /// Name in the JSON.
    pub stored: &'static str,
    /// How it is asked for.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether only operators of all insurers are asked: it reaches beyond the members of one.
    pub for_all: bool,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, stored: name, kind, required: false, for_all: false }
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { required: true, ..field(name, kind) }
}

const NAME: Field = must("client_name", Kind::Text);
const NAME_EN: Field = Field { stored: "client_name#en", ..field("client_name_en", Kind::Text) };
const INSURER: Field = must("insurer", Kind::Insurer);
const TYPE: Field = must("application_type", Kind::Choice(Source::Told(&["web", "native"])));
const REDIRECTS: Field = must("redirect_uris", Kind::Lines);
const AFTER_LOGOUT: Field = field("post_logout_redirect_uris", Kind::Lines);
const SECTOR: Field = field("sector", Kind::Text);
const SUBJECT: Field = must("subject_type", Kind::Choice(Source::Told(&["pairwise", "public"])));
const SCOPE: Field = must("scope", Kind::Several(Source::Scopes, true));
const BUSINESS: Field = field("health_insurance_business", Kind::Flag);
const GRANTS: Field = must("grant_types", Kind::Several(Source::Grants, false));
const METHOD: Field = must(
    "token_endpoint_auth_method",
    Kind::Choice(Source::Told(&[
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "client_secret_jwt",
        "none",
    ])),
);
const JWKS_URI: Field = field("jwks_uri", Kind::Text);

const KEY_MANAGEMENT: Kind = Kind::Choice(Source::Plain(&["RSA-OAEP-256", "ECDH-ES"]));
const CONTENT: Kind = Kind::Choice(Source::Plain(&["A128CBC-HS256", "A256GCM"]));

/// What the page that registers a client asks.
pub const NEW: &[Field] = &[
    NAME,
    NAME_EN,
    INSURER,
    METHOD,
    TYPE,
    REDIRECTS,
    AFTER_LOGOUT,
    SCOPE,
    BUSINESS,
    GRANTS,
    SUBJECT,
    SECTOR,
    JWKS_URI,
];

/// A group of fields that have a page of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Name, pictures and links, and whose it is.
    Basics,
    /// Where members are sent.
    Addresses,
    /// What it may ask for.
    Scopes,
    /// How long what it gets is good.
    Lifetimes,
    /// How it proves itself, and how what it gets is signed and encrypted.
    Security,
    /// How it hears of logouts, and tokens through the browser.
    Logout,
}

impl Topic {
    /// Each.
    pub const ALL: [Self; 6] =
        [Self::Basics, Self::Addresses, Self::Scopes, Self::Lifetimes, Self::Security, Self::Logout];

    /// Name in paths and in names of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basics => "basics",
            Self::Addresses => "addresses",
            Self::Scopes => "scopes",
            Self::Lifetimes => "lifetimes",
            Self::Security => "security",
            Self::Logout => "logout",
        }
    }

    /// The topic of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// Its fields.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Basics => BASICS,
            Self::Addresses => ADDRESSES,
            Self::Scopes => SCOPES,
            Self::Lifetimes => LIFETIMES,
            Self::Security => SECURITY,
            Self::Logout => LOGOUT,
        }
    }
}

const BASICS: &[Field] = &[
    NAME,
    NAME_EN,
    INSURER,
    field("client_uri", Kind::Text),
    field("logo_uri", Kind::Text),
    field("policy_uri", Kind::Text),
    field("tos_uri", Kind::Text),
    field("initiate_login_uri", Kind::Text),
    field("contacts", Kind::Lines),
];
const ADDRESSES: &[Field] = &[
    TYPE,
    REDIRECTS,
    AFTER_LOGOUT,
    SUBJECT,
    SECTOR,
    field("sector_identifier_uri", Kind::Text),
    field("request_uris", Kind::Lines),
];
const SCOPES: &[Field] = &[
    SCOPE,
    BUSINESS,
    GRANTS,
    field("resources", Kind::Lines),
    Field { for_all: true, ..field("introspects", Kind::Lines) },
];
const LIFETIMES: &[Field] = &[
    field("access_token_lifetime", Kind::Seconds),
    field("id_token_lifetime", Kind::Seconds),
    field("refresh_token_lifetime", Kind::Seconds),
    field("default_max_age", Kind::Seconds),
];
const SECURITY: &[Field] = &[
    METHOD,
    field(
        "token_endpoint_auth_signing_alg",
        Kind::Choice(Source::Plain(&["RS256", "PS256", "ES256", "EdDSA", "HS256"])),
    ),
    JWKS_URI,
    field("jwks", Kind::Json),
    field("pkce_optional", Kind::Flag),
    field("require_pushed_authorization_requests", Kind::Flag),
    field("require_signed_request_object", Kind::Flag),
    field("request_object_signing_alg", Kind::Choice(Source::Plain(&["RS256", "PS256", "ES256", "EdDSA"]))),
    field("strict_assertions", Kind::Flag),
    must("access_token_format", Kind::Choice(Source::Told(&["opaque", "at+jwt"]))),
    field("id_token_signed_response_alg", Kind::Choice(Source::Signing)),
    field("id_token_encrypted_response_alg", KEY_MANAGEMENT),
    field("id_token_encrypted_response_enc", CONTENT),
    field("userinfo_signed_response_alg", Kind::Choice(Source::Signing)),
    field("userinfo_encrypted_response_alg", KEY_MANAGEMENT),
    field("userinfo_encrypted_response_enc", CONTENT),
];
const LOGOUT: &[Field] = &[
    field("backchannel_logout_uri", Kind::Text),
    field("frontchannel_logout_uri", Kind::Text),
    field("frontchannel_logout_session_required", Kind::Flag),
    must("response_types", Kind::Several(Source::Responses, false)),
];

/// Fields whose rules have a text of their own, `clients-error-FIELD`.
const EXPLAINED: [&str; 15] = [
    "client_name",
    "contacts",
    "insurer",
    "redirect_uris",
    "scope",
    "grant_types",
    "response_types",
    "resources",
    "introspects",
    "sector",
    "sector_identifier_uri",
    "jwks",
    "token_endpoint_auth_signing_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_enc",
];

/// What to say about a field that breaks a rule.
pub fn complaint(error: &MetadataError) -> Message {
    let lifetime = error.field.ends_with("_lifetime");
    match EXPLAINED.iter().find(|field| **field == error.field) {
        Some(field) => Message::new(format!("clients-error-{field}")).with("reason", &error.reason),
        None if lifetime => Message::new("clients-error-lifetime"),
        None => Message::new("clients-error-other").with("reason", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clients::Metadata,
        texts::{Locale, Texts},
    };

    #[test]
    fn every_field_is_explained_and_asked_for_on_one_page() {
        let texts = Texts::load().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for field in Topic::ALL.into_iter().flat_map(Topic::fields) {
            assert!(seen.insert(field.name), "{} stands on two pages", field.name);
            for locale in Locale::ALL {
                for kind in ["field", "hint"] {
                    assert!(texts.has(locale, &format!("clients-{kind}-{}", field.name)), "{}", field.name);
                }
            }
        }
        assert!(NEW.iter().all(|field| seen.contains(field.name)));
        for field in EXPLAINED {
            assert!(texts.has(Locale::Ja, &format!("clients-error-{field}")), "{field}");
        }
    }

    #[test]
    fn every_rule_of_uris_is_explained() {
        let texts = Texts::load().unwrap();
        let source = include_str!("../../clients/redirect_uri.rs");
        let refusals = source.split("refuse(").filter_map(|rest| rest.trim_start().strip_prefix('"'));
        let rules: Vec<_> = refusals.filter_map(|rest| rest.split('"').next()).collect();
        assert!(rules.len() > 8, "{rules:?}");
        for rule in rules {
            assert!(texts.has(Locale::Ja, &format!("clients-error-uri-{rule}")), "{rule}");
        }
    }

    #[test]
    fn every_field_of_a_client_can_be_changed_or_has_a_reason_not_to_be() {
        // Without an effect here, or too rare for a form: the API and the command line have them.
        let left = [
            "require_auth_time",
            "default_acr_values",
            "backchannel_logout_session_required",
            "software_id",
            "software_version",
        ];
        let full: Metadata = serde_json::from_value(serde_json::json!({
            "contacts": ["a@b.example"], "logo_uri": "x", "client_uri": "x", "policy_uri": "x", "tos_uri": "x",
            "jwks_uri": "x", "jwks": {}, "sector_identifier_uri": "x", "id_token_signed_response_alg": "RS256",
            "id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A256GCM",
            "userinfo_signed_response_alg": "RS256", "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A256GCM", "request_object_signing_alg": "RS256",
            "require_signed_request_object": true, "request_uris": ["x"],
            "token_endpoint_auth_signing_alg": "RS256", "default_max_age": 1, "require_auth_time": true,
            "default_acr_values": ["x"], "initiate_login_uri": "x", "post_logout_redirect_uris": ["x"],
            "backchannel_logout_uri": "x", "backchannel_logout_session_required": true,
            "frontchannel_logout_uri": "x", "frontchannel_logout_session_required": true,
            "require_pushed_authorization_requests": true, "software_id": "x", "software_version": "x",
            "sector": "x", "resources": ["x"], "introspects": ["x"], "access_token_lifetime": 1,
            "id_token_lifetime": 1, "refresh_token_lifetime": 1, "strict_assertions": true, "insurer": "x",
        }))
        .unwrap();
        let known: Vec<_> =
            Topic::ALL.into_iter().flat_map(Topic::fields).map(|field| field.stored).collect();
        for name in full.fields().keys() {
            assert!(known.contains(&name.as_str()) != left.contains(&name.as_str()), "{name}");
        }
    }
}
