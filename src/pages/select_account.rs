//! `/login/{interaction}/account`: as whom? (`prompt=select_account`, OpenID Connect Core §3.1.2.1)

use serde::Serialize;

use super::sample;
use crate::web::templates::Page;

/// Goes on as the member who is signed in, or as somebody else. Posts `choice`, `continue` or `another`,
/// to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct SelectAccount {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party that asked.
    pub client: Option<String>,
    /// Name of the member who is signed in, if it is known.
    pub name: Option<String>,
    /// Their login ID, masked.
    pub account: String,
}

impl Page for SelectAccount {
    const TEMPLATE: &'static str = "pages/select_account.html";

    fn samples() -> Vec<Self> {
        let known = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            name: Some("タケダ ハナコ".to_owned()),
            account: "7132-•••••••01".to_owned(),
        };
        let nameless = Self { client: None, name: None, ..known.clone() };
        let hostile = Self {
            client: Some(sample::LONG.to_owned()),
            name: Some(sample::HOSTILE.to_owned()),
            account: sample::HOSTILE.to_owned(),
            ..known.clone()
        };
        vec![known, nameless, hostile]
    }
}
