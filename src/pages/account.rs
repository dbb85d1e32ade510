//! `/account`: the member's own page.

use serde::Serialize;

use super::sample;
use crate::web::templates::Page;

/// Who is signed in. 「ログアウト」 posts to `/logout`.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Kana name, if it is known.
    pub name: Option<String>,
    /// 区分: `insured`, `dependent` or `voluntary`.
    pub category: String,
    /// E-mail address, masked.
    pub email: Option<String>,
}

impl Page for Account {
    const TEMPLATE: &'static str = "pages/account.html";

    fn samples() -> Vec<Self> {
        let of = |name: Option<&str>, category: &str, email: Option<&str>| Self {
            name: name.map(str::to_owned),
            category: category.to_owned(),
            email: email.map(str::to_owned),
        };
        vec![
            of(Some("タケダ ハナコ"), "insured", Some("h••••@example.com")),
            of(None, "voluntary", None),
            of(Some(sample::HOSTILE), "dependent", Some(sample::LONG)),
        ]
    }
}
