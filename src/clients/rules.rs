//! The rules of a client's metadata, one by one, whoever registers it.

use std::fmt::Display;

use super::{
    metadata::{Metadata, same_words},
    redirect_uri::{self, UriRefusal},
    values::{ApplicationType, AssertionAlgorithm, AuthMethod, GrantType, Shown, SubjectType},
};
use crate::crypto::{Algorithm, JwkSet};

/// Most URIs, contacts and the like that one field may list.
const MOST: usize = 50;
/// Shortest lifetime that a client may ask for, in seconds: shorter ones expire on the way.
const SHORTEST: u64 = 30;

/// What the provider has, and a client can therefore ask for.
#[derive(Clone, Copy, Debug)]
pub struct Supported<'a> {
    /// Scopes.
    pub scopes: &'a [&'a str],
    /// JWS algorithms that have a signing key.
    pub signing: &'a [Algorithm],
    /// Response types.
    pub response_types: &'a [&'a str],
    /// Grant types.
    pub grant_types: &'a [GrantType],
}

/// What is wrong with a client's metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct MetadataError {
    /// Name of the metadata field.
    pub field: &'static str,
    /// The rule it breaks.
    pub reason: String,
    /// The URI at fault and the name of its rule, where a URI breaks one.
    pub uri: Option<(String, &'static str)>,
}

impl MetadataError {
    /// A field breaks a rule.
    pub fn new(field: &'static str, reason: impl Display) -> Self {
        Self { field, reason: reason.to_string(), uri: None }
    }
}

type Checked = Result<(), MetadataError>;

fn refuse(field: &'static str, reason: impl Display) -> Checked {
    Err(MetadataError::new(field, reason))
}

fn require(holds: bool, field: &'static str, reason: impl Display) -> Checked {
    if holds { Ok(()) } else { refuse(field, reason) }
}

impl Metadata {
    /// Checks every rule that a single client can break.
    pub fn validate(&self, supported: &Supported) -> Checked {
        self.names()?;
        self.grants(supported)?;
        self.redirects()?;
        self.pages()?;
        self.services()?;
        self.scopes(supported)?;
        self.authentication()?;
        self.keys()?;
        self.algorithms(supported)?;
        self.subjects()?;
        self.members()?;
        self.limits()
    }

    fn members(&self) -> Checked {
        let digits =
            |code: &String| (1..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let fits = self.insurer.as_ref().is_none_or(digits);
        require(fits, "insurer", "must be the portal code of an insurer, 1 to 8 digits")
    }

    fn names(&self) -> Checked {
        readable(&self.client_name)?;
        require(self.translations.len() <= MOST, "client_name", "has too many translations")?;
        for (name, text) in &self.translations {
            let translated = name.split_once('#').and_then(|(field, tag)| {
                let what = Shown::ALL.into_iter().find(|what| what.field() == field)?;
                is_language_tag(tag).then_some(what)
            });
            match translated {
                Some(Shown::Name) => readable(text)?,
                Some(what) => page(what.field(), text)?,
                None => refuse("metadata", format!("{name:?} is not a field that clients have"))?,
            }
        }
        for contact in &self.contacts {
            let plain = contact.len() <= 254 && !contact.chars().any(|c| c.is_control() || c.is_whitespace());
            require(plain && contact.contains('@'), "contacts", "must be e-mail addresses")?;
        }
        for (field, text) in
            [("software_id", &self.software_id), ("software_version", &self.software_version)]
        {
            let short = |text: &String| text.len() <= 200 && !text.chars().any(char::is_control);
            require(text.as_ref().is_none_or(short), field, "must be 200 bytes at most")?;
        }
        Ok(())
    }

    fn grants(&self, supported: &Supported) -> Checked {
        for grant in &self.grant_types.0 {
            let known =
                || supported.grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" ");
            let reason = format!("must be among {}", known());
            require(supported.grant_types.contains(grant), "grant_types", reason)?;
        }
        for wanted in &self.response_types.0 {
            let known = supported.response_types.iter().any(|known| same_words(known, wanted));
            let reason = format!("must be among: {}", supported.response_types.join(", "));
            require(known, "response_types", reason)?;
            // OIDC Registration §2: the grant types that each response type takes.
            let has = |word| wanted.split_ascii_whitespace().any(|given| given == word);
            let code = !has("code") || self.grant_types.0.contains(&GrantType::AuthorizationCode);
            require(code, "grant_types", "must have authorization_code for response types with code")?;
            let implicit =
                !(has("token") || has("id_token")) || self.grant_types.0.contains(&GrantType::Implicit);
            require(implicit, "grant_types", "must have implicit for response types with token or id_token")?;
        }
        let public = self.token_endpoint_auth_method == AuthMethod::None;
        let credentials = self.grant_types.0.contains(&GrantType::ClientCredentials);
        require(
            !(public && credentials),
            "grant_types",
            "client_credentials is not for public clients (RFC 6749 §4.4)",
        )
    }

    /// Whether members come to it through the browser.
    fn redirects_members(&self) -> bool {
        let types = &self.grant_types.0;
        types.contains(&GrantType::AuthorizationCode) || types.contains(&GrantType::Implicit)
    }

    fn redirects(&self) -> Checked {
        let native = self.application_type == ApplicationType::Native;
        let given = !self.redirect_uris.is_empty() || !self.redirects_members();
        require(given, "redirect_uris", "must have at least one URI")?;
        for (field, uris) in [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ] {
            require(uris.len() <= MOST, field, "has too many URIs")?;
            for uri in uris {
                explain(field, uri, redirect_uri::check(uri, native))?;
            }
        }
        Ok(())
    }

    /// Links that members follow.
    fn pages(&self) -> Checked {
        for (field, uri) in [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("initiate_login_uri", &self.initiate_login_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ] {
            if let Some(uri) = uri {
                page(field, uri)?;
            }
        }
        // Parameters are put behind these, and would be lost behind a fragment.
        for (field, uri) in [
            ("initiate_login_uri", &self.initiate_login_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ] {
            let whole = uri.as_ref().is_none_or(|uri| !uri.contains('#'));
            require(whole, field, "must have no fragment")?;
        }
        // Front-Channel Logout 1.0 §2
        let origin_of = |uri: &String| redirect_uri::origin(uri);
        let at_home = self
            .frontchannel_logout_uri
            .as_ref()
            .is_none_or(|uri| self.redirect_uris.iter().any(|known| origin_of(known) == origin_of(uri)));
        require(
            at_home,
            "frontchannel_logout_uri",
            "must have the scheme, host and port of one of the redirect_uris",
        )
    }

    /// URLs that the provider calls itself.
    fn services(&self) -> Checked {
        let single = [
            ("jwks_uri", &self.jwks_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ];
        for (field, uri) in single {
            if let Some(uri) = uri {
                explain(field, uri, redirect_uri::check_service(uri))?;
                require(!uri.contains('#'), field, "must have no fragment")?;
            }
        }
        require(self.request_uris.len() <= MOST, "request_uris", "has too many URIs")?;
        for uri in &self.request_uris {
            explain("request_uris", uri, redirect_uri::check_service(uri))?;
        }
        Ok(())
    }

    fn scopes(&self, supported: &Supported) -> Checked {
        for scope in self.scope.split_ascii_whitespace() {
            if !supported.scopes.contains(&scope) {
                let known = supported.scopes.join(" ");
                refuse("scope", format!("{scope:?} is not known; known are {known}"))?;
            }
        }
        // A program that works as an operator is that alone: nothing of it comes through a browser.
        require(
            !self.is_for_api() || self.grant_types.0 == [GrantType::ClientCredentials],
            "grant_types",
            "must be client_credentials alone with a scope of the operators' API",
        )?;
        require(self.allows("openid") || !self.redirects_members(), "scope", "must have openid")?;
        require(
            !self.allows("insured_number") || self.health_insurance_business,
            "scope",
            "insured_number is only for a 健康保険事業 (health_insurance_business)",
        )?;
        for (field, uris) in [("resources", &self.resources), ("introspects", &self.introspects)] {
            for uri in uris {
                // RFC 8707 §2
                let absolute = url::Url::parse(uri).is_ok() && !uri.contains('#') && uri.len() <= 2000;
                require(absolute, field, format!("{uri:?} must be an absolute URI without fragment"))?;
            }
        }
        Ok(())
    }

    fn authentication(&self) -> Checked {
        let method = self.token_endpoint_auth_method;
        let field = "token_endpoint_auth_signing_alg";
        // Methods without an assertion may name one: it has no meaning for them.
        match (method, self.token_endpoint_auth_signing_alg) {
            (AuthMethod::ClientSecretJwt, Some(AssertionAlgorithm::Key(_))) => {
                refuse(field, "must be HS256 for client_secret_jwt")?;
            }
            (AuthMethod::PrivateKeyJwt, Some(AssertionAlgorithm::Secret(_))) => {
                refuse(field, "must be an algorithm of a private key for private_key_jwt")?;
            }
            _ => {}
        }
        let public = method == AuthMethod::None;
        require(
            !(self.pkce_optional && public),
            "pkce_optional",
            "a public client always needs PKCE (RFC 9700 §2.1.1)",
        )?;
        require(
            self.introspects.is_empty() || !public,
            "introspects",
            "only a client that proves itself may introspect (RFC 7662 §2.1)",
        )
    }

    fn keys(&self) -> Checked {
        let both = self.jwks.is_some() && self.jwks_uri.is_some();
        require(!both, "jwks", "must not stand beside jwks_uri (OIDC Registration §2)")?;
        if let Some(jwks) = &self.jwks {
            require(jwks.to_string().len() <= 32 * 1024, "jwks", "must be 32 KiB at most")?;
            JwkSet::parse(jwks).map(drop).or_else(|error| refuse("jwks", error))?;
        }
        let has = self.jwks.is_some() || self.jwks_uri.is_some();
        let needs = self.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt
            || self.request_object_signing_alg.is_some()
            || self.require_signed_request_object
            || self.id_token_encrypted_response_alg.is_some()
            || self.userinfo_encrypted_response_alg.is_some();
        require(has || !needs, "jwks", "must be given, or jwks_uri: the client has to have keys for this")
    }

    fn algorithms(&self, supported: &Supported) -> Checked {
        for (field, alg) in [
            ("id_token_signed_response_alg", self.id_token_signed_response_alg),
            ("userinfo_signed_response_alg", self.userinfo_signed_response_alg),
        ] {
            let names = || supported.signing.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(" ");
            let reason = format!("must be one of {}", names());
            require(alg.is_none_or(|alg| supported.signing.contains(&alg)), field, reason)?;
        }
        for (field, alg, enc) in [
            (
                "id_token_encrypted_response_enc",
                self.id_token_encrypted_response_alg,
                self.id_token_encrypted_response_enc,
            ),
            (
                "userinfo_encrypted_response_enc",
                self.userinfo_encrypted_response_alg,
                self.userinfo_encrypted_response_enc,
            ),
        ] {
            require(
                alg.is_some() || enc.is_none(),
                field,
                "must stand beside an alg (OIDC Registration §2)",
            )?;
        }
        Ok(())
    }

    fn subjects(&self) -> Checked {
        // A sector makes sense only where there are subjects.
        let sectorless = self.subject_type == SubjectType::Pairwise
            && self.redirects_members()
            && self.sector_identifier().is_none();
        require(
            !sectorless,
            "sector",
            "must be given, or sector_identifier_uri: the redirect URIs have more than one host (OIDC Core §8.1)",
        )
    }

    fn limits(&self) -> Checked {
        for (field, seconds) in [
            ("access_token_lifetime", self.access_token_lifetime),
            ("id_token_lifetime", self.id_token_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
        ] {
            require(seconds.is_none_or(|seconds| seconds >= SHORTEST), field, "must be 30 seconds or more")?;
        }
        let acr = &self.default_acr_values;
        let plain = |value: &String| value.len() <= 200 && value.bytes().all(|b| b.is_ascii_graphic());
        require(acr.len() <= MOST && acr.iter().all(plain), "default_acr_values", "must be plain words")
    }
}

/// A name that members can read, and that cannot make them read something else: no control characters, no
/// change of direction, nothing invisible (Unicode TR 36 §3).
fn readable(name: &str) -> Checked {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{3164}' | '\u{ffa0}')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    let length = name.chars().count();
    let field = "client_name";
    require(!name.trim().is_empty() && length <= 80, field, "must be 1 to 80 characters")?;
    require(!name.chars().any(hidden), field, "must have no control or invisible characters")
}

/// The shape of a language tag (RFC 5646 §2.1).
fn is_language_tag(tag: &str) -> bool {
    tag.len() <= 35
        && tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn page(field: &'static str, uri: &str) -> Checked {
    explain(field, uri, redirect_uri::check_page(uri))
}

fn explain(field: &'static str, uri: &str, checked: Result<(), UriRefusal>) -> Checked {
    checked.map_err(|refusal| MetadataError {
        uri: Some((uri.to_owned(), refusal.rule)),
        ..MetadataError::new(field, format!("{uri:?} {refusal}"))
    })
}

#[cfg(test)]
mod tests;
