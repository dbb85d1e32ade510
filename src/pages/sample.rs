//! Values that the samples of several pages share.

use super::parts::{ExternalUrl, IdRule, Service};
use crate::config::{
    Insurer,
    insurer::{Contact, Policy},
};

/// An interaction.
pub const INTERACTION: &str = "q7Zk3vX0aJm2Yt8RbLwN1g";
/// A login ID.
pub const LOGIN_ID: &str = "7132-091200001";
/// A relying party.
pub const CLIENT: &str = "からだ手帳";
/// A text that wants to be markup.
pub const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;{{ 7*7 }}";
/// A text without a place to break.
pub const LONG: &str =
    "Krankenversicherungsgesellschaftsmitgliedschaftsbescheinigungsabrufdienstleistungsportal";

/// An office with everything known about it.
pub fn contact() -> Contact {
    Contact {
        name: "さくら健康保険組合 KENPOS事務局".to_owned(),
        phone: Some("03-1234-5678".to_owned()),
        email: Some("kenpos@sakura-kenpo.example".to_owned()),
        hours: Some("平日 9:00〜17:00".to_owned()),
    }
}

/// The insurer of the guide.
pub fn id_rule() -> IdRule {
    IdRule::of(&Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: "さくら健康保険組合".to_owned(),
        name_en: None,
        symbol_digits: 3,
        number_digits: 6,
        colour: "#0a6b5d".to_owned(),
        contact: contact(),
        policy: Policy::default(),
        documents: std::collections::BTreeMap::new(),
    })
}

/// A relying party's page; none if its URL were not one of the web.
pub fn service(name: &str) -> Option<Service> {
    ExternalUrl::new("https://app.example.com/start").map(|url| Service { name: name.to_owned(), url })
}
