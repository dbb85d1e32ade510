//! `/account`: who is signed in, and what there is to do.

use axum::response::Response;
use serde::Serialize;

use super::{Account, DoneQuery, done, entered};
use crate::{
    members::{account::masked, email_address::EmailAddress},
    pages::sample,
    texts::Given,
    web::{
        PageError, Visit,
        templates::{Message, Page},
    },
};

/// Who is signed in. 「ログアウト」 posts to `/logout`.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// What was done just before.
    pub notice: Option<Message>,
    /// Kana name, if it is known.
    pub name: Option<String>,
    /// 区分: `insured`, `dependent` or `voluntary`.
    pub category: String,
    /// Name of the insurer, in the language of the page if it has one there.
    pub insurer: Option<Given>,
    /// Login ID, masked.
    pub login_id: Option<String>,
    /// E-mail address, masked.
    pub email: Option<String>,
    /// The last day of the grace after the end of the eligibility, in words.
    pub grace: Option<String>,
    /// Whether the office learnt that mails to the address do not arrive.
    pub bounces: bool,
}

impl Page for Overview {
    const TEMPLATE: &'static str = "pages/account/overview.html";

    fn samples() -> Vec<Self> {
        let usual = Self {
            notice: None,
            name: Some("タケダ ハナコ".to_owned()),
            category: "insured".to_owned(),
            insurer: Some(Given::choose(crate::texts::Locale::Ja, "さくら健康保険組合", None)),
            login_id: Some("7132-•••••••01".to_owned()),
            email: Some("h***@example.com".to_owned()),
            grace: None,
            bounces: false,
        };
        let changed = Self { notice: Some(Message::new("account-notice-password")), ..usual.clone() };
        let bare = Self {
            name: None,
            category: "voluntary".to_owned(),
            login_id: None,
            email: None,
            grace: Some("2026年11月30日".to_owned()),
            ..usual.clone()
        };
        let hostile = Self {
            notice: Some(Message::new("account-notice-deletion")),
            name: Some(sample::HOSTILE.to_owned()),
            category: "dependent".to_owned(),
            insurer: Some(Given::choose(crate::texts::Locale::En, "", Some(sample::HOSTILE))),
            login_id: Some(sample::LONG.to_owned()),
            email: Some(sample::LONG.to_owned()),
            grace: None,
            bounces: true,
        };
        vec![usual, changed, bare, hostile]
    }
}

/// GET `/account`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account"));
    let (member, person) = (&account.signed_in.member, &account.signed_in.person);
    let login_id = account.visit.app().members.login_id_of(member, person);
    let email = member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    let insurer = account.insurer().map(|insurer| insurer.name_in(account.visit.locale));
    let page = Overview {
        notice: done(query).notice(&["password", "deletion"]),
        name: member.kana.clone(),
        category: person.category.as_str().to_owned(),
        insurer,
        login_id: login_id.as_ref().map(masked),
        bounces: account.visit.app().members.email_bounces(member.email.as_deref()).await?,
        email: email.map(|email| email.masked()),
        grace: account.visit.app().members.grace_until(person).map(|day| account.date(day)),
    };
    Ok(account.show(&page).render()?)
}
