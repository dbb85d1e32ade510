//! `/consent/{interaction}`: may this app see that?

use serde::Serialize;

use super::{parts::ExternalUrl, sample};
use crate::web::templates::Page;

/// The scopes that have an explanation in `templates/texts/`.
const EXPLAINED: &[&str] = &[
    "openid",
    "profile",
    "birthdate",
    "gender",
    "email",
    "membership",
    "insured_number",
    "address",
    "phone",
    "offline_access",
];

/// What a relying party asks for. Posts `decision`, `allow` or `deny`, to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party.
    pub client: String,
    /// How the relying party uses the data (`policy_uri`, OpenID Connect Dynamic Client Registration §2).
    pub policy: Option<ExternalUrl>,
    /// The relying party's terms (`tos_uri`).
    pub terms: Option<ExternalUrl>,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Who is signed in: name or login ID, masked.
    pub account: String,
}

/// A scope on the consent page.
#[derive(Clone, Debug, Serialize)]
pub struct Scope {
    name: String,
    explained: bool,
}

impl Scope {
    /// A scope by its name; one without an explanation is shown by its name, never left out.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), explained: EXPLAINED.contains(&name) }
    }
}

impl Page for Consent {
    const TEMPLATE: &'static str = "pages/consent.html";

    fn samples() -> Vec<Self> {
        let scopes = |names: &[&str]| names.iter().map(|name| Scope::new(name)).collect();
        let usual = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: sample::CLIENT.to_owned(),
            policy: ExternalUrl::new("https://app.example.com/privacy"),
            terms: ExternalUrl::new("https://app.example.com/terms"),
            scopes: scopes(&["openid", "profile", "email", "membership"]),
            account: "7132-•••••••01".to_owned(),
        };
        let everything = Self { scopes: scopes(EXPLAINED), policy: None, terms: None, ..usual.clone() };
        let hostile = Self {
            client: sample::HOSTILE.to_owned(),
            scopes: scopes(&["openid", sample::HOSTILE, sample::LONG]),
            account: sample::HOSTILE.to_owned(),
            ..usual.clone()
        };
        vec![usual, everything, hostile]
    }
}
