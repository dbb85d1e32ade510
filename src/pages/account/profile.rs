//! `/account/profile`: what is held about the member, and the language of mails and pages.

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Account, DoneQuery, done, entered};
use crate::{
    pages::{parts::FormErrors, sample},
    texts::Locale,
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// What is held. Posts `language` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// For whom the form is.
    pub who: String,
    /// What was done just before.
    pub notice: Option<Message>,
    /// Kana name.
    pub name: Option<String>,
    /// 区分.
    pub category: String,
    /// First day of eligibility, in words.
    pub valid_from: Option<String>,
    /// Last day of eligibility, in words.
    pub valid_until: Option<String>,
    /// E-mail address, in full: it is the member who looks.
    pub email: Option<String>,
    /// Whether the address was confirmed.
    pub verified: bool,
    /// Language of mails, `ja` or `en`.
    pub language: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for Profile {
    const TEMPLATE: &'static str = "pages/account/profile.html";

    fn samples() -> Vec<Self> {
        let usual = Self {
            who: sample::INTERACTION.to_owned(),
            notice: None,
            name: Some("タケダ ハナコ".to_owned()),
            category: "insured".to_owned(),
            valid_from: Some("2021年4月1日".to_owned()),
            valid_until: None,
            email: Some("hanako.takeda@example.com".to_owned()),
            verified: true,
            language: "ja".to_owned(),
            errors: FormErrors::none(),
        };
        let changed = Self {
            notice: Some(Message::new("account-notice-language")),
            language: "en".to_owned(),
            valid_until: Some("2026-12-31".to_owned()),
            ..usual.clone()
        };
        let hostile = Self {
            who: sample::HOSTILE.to_owned(),
            name: Some(sample::HOSTILE.to_owned()),
            email: Some(format!("{}@example.com", sample::LONG)),
            ..usual.clone()
        };
        let bare = Self { name: None, valid_from: None, email: None, verified: false, ..usual.clone() };
        vec![usual, changed, hostile, bare]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct LanguageForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    language: String,
}

/// GET `/account/profile`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/profile"));
    let (member, person) = (&account.signed_in.member, &account.signed_in.person);
    let page = Profile {
        who: account.who(),
        notice: done(query).notice(&["language"]),
        name: member.kana.clone(),
        category: person.category.as_str().to_owned(),
        valid_from: person.valid_from.map(|first| account.date(first)),
        valid_until: person.valid_until.map(|last| account.date(last)),
        email: member.email.clone(),
        verified: member.email_verified_at.is_some(),
        language: member.locale.tag().to_owned(),
        errors: FormErrors::none(),
    };
    Ok(account.show(&page).render()?)
}

/// POST `/account/profile`
pub async fn post(PageForm(visit, form): PageForm<LanguageForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/profile", &form.who));
    let Some(locale) = Locale::from_tag(&form.language) else {
        return Ok(account.visit.redirect("/account/profile")?);
    };
    account.visit.app().members.set_locale(&account.signed_in.member, locale).await?;
    // The page in the language chosen, which the browser then remembers.
    Ok(account.visit.redirect(&format!("/account/profile?done=language&ui_locales={locale}"))?)
}
