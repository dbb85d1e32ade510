//! Values that the samples of several pages share.

use super::parts::{ExternalUrl, IdRule, InsurerChoice, Service};
use crate::{
    config::{
        Insurer,
        insurer::{Contact, Office},
    },
    texts::Locale,
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
pub fn contact() -> Office {
    let contact = Contact {
        name: "さくら健康保険組合 KENPOS事務局".to_owned(),
        phone: Some("03-1234-5678".to_owned()),
        email: Some("kenpos@sakura-kenpo.example".to_owned()),
        hours: Some("平日 9:00〜17:00".to_owned()),
        ..Contact::default()
    };
    contact.in_locale(Locale::Ja)
}

/// An office that is hard to reach.
pub fn unreachable() -> Office {
    Contact { name: HOSTILE.to_owned(), ..Contact::default() }.in_locale(Locale::Ja)
}

/// The insurer of the guide.
pub fn id_rule() -> IdRule {
    IdRule::of(&Insurer {
        code: "7132".to_owned(),
        name: "さくら健康保険組合".to_owned(),
        ..Insurer::default()
    })
}

/// Insurers to choose from: one with a logo, one with a name that never ends.
pub fn insurers() -> Vec<InsurerChoice> {
    let insurer = |code: &str, number: &str, name: &str, logo: bool| {
        let logo = logo.then(|| "logo.png".into());
        let (code, number, name) = (code.to_owned(), number.to_owned(), name.to_owned());
        InsurerChoice::of(&Insurer { code, number, name, logo, ..Insurer::default() }, Locale::En)
    };
    vec![
        insurer("7132", "06139497", "さくら健康保険組合", false),
        insurer("8001", "01040013", "東京都情報サービス産業および関連産業従業員健康保険組合", true),
        insurer("9", "33120015", HOSTILE, false),
    ]
}

/// A relying party's page; none if its URL were not one of the web.
pub fn service(name: &str) -> Option<Service> {
    ExternalUrl::new("https://app.example.com/start").map(|url| Service { name: name.to_owned(), url })
}
