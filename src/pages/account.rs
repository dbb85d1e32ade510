//! `/account`: the member's own page.

use super::flow::brand;
use crate::{
    members::{email_address::EmailAddress, roster::Category},
    web::{PageError, Visit, templates::Brand},
};
use axum::response::Response;
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

/// GET `/account`
pub async fn get(visit: Visit) -> Result<Response, PageError> {
    let Some(signed_in) = visit.signed_in().await? else { return Ok(visit.redirect("/login")?) };
    let email = signed_in.member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    let category = match signed_in.person.category {
        Category::Insured => "insured",
        Category::Dependent => "dependent",
        Category::Voluntary => "voluntary",
    };
    let page = Account {
        name: signed_in.member.kana.clone(),
        category: category.to_owned(),
        email: email.map(|email| email.masked()),
    };
    let insurer = visit.app().members.insurer(&signed_in.member.insurer);
    let brand = insurer.map_or_else(|| brand(&visit), |insurer| Brand::insurer(insurer, visit.locale));
    Ok(visit.show(&page).brand(brand).render()?)
}
