//! `/account/apps`: which apps have access, and to what.

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Account, DoneQuery, done, entered};
use crate::{
    clients::Client,
    clock::Timestamp,
    fault::Fault,
    oidc::permission::Permission,
    pages::{
        consent::{Scope, claims},
        sample,
    },
    storage::consent,
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// The apps. Posts `client` to its own path to withdraw its access.
#[derive(Clone, Debug, Serialize)]
pub struct Apps {
    /// For whom the forms are.
    pub who: String,
    /// What was done just before.
    pub notice: Option<Message>,
    /// The apps, the newest first.
    pub apps: Vec<AppAccess>,
}

/// An app with access.
#[derive(Clone, Debug, Serialize)]
pub struct AppAccess {
    /// `client_id`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may have.
    pub scopes: Vec<Scope>,
    /// Single claims beside those of the scopes, by the name of their text.
    pub claims: Vec<String>,
    /// Since when, in words.
    pub since: String,
}

impl Page for Apps {
    const TEMPLATE: &'static str = "pages/account/apps.html";

    fn samples() -> Vec<Self> {
        let none = Self { who: sample::INTERACTION.to_owned(), notice: None, apps: vec![] };
        let app = |name: &str, scopes: &[&str]| AppAccess {
            id: sample::INTERACTION.to_owned(),
            name: name.to_owned(),
            scopes: scopes.iter().map(|name| Scope::new(name)).collect(),
            claims: vec!["birthdate".to_owned()],
            since: "2026年11月23日(月)10時15分".to_owned(),
        };
        let some = Self {
            apps: vec![app(sample::CLIENT, &["openid", "profile", "insured_number"])],
            ..none.clone()
        };
        let hostile = Self {
            notice: Some(Message::new("account-notice-withdrawn")),
            apps: vec![
                app(sample::HOSTILE, &["openid", sample::HOSTILE]),
                app(sample::LONG, &[sample::LONG]),
            ],
            ..none.clone()
        };
        vec![none, some, hostile]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct WithdrawForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    client: String,
}

/// GET `/account/apps`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/apps"));
    let db = &account.visit.app().members.db;
    let consents = consent::of_member(db, &account.signed_in.member.id).await.map_err(Fault::from)?;
    let mut apps = Vec::with_capacity(consents.len());
    for consent in consents {
        let client = Client::find(db, &consent.client_id).await.map_err(Fault::from)?;
        // A client that is disabled has no access now, but would have it again if it were enabled.
        let name = client.map_or_else(
            || consent.client_id.clone(),
            |client| client.name_in(account.visit.locale).to_owned(),
        );
        let allowed = Permission::given(&consent);
        apps.push(AppAccess {
            name,
            scopes: allowed.scopes.iter().map(|scope| Scope::new(scope.as_str())).collect(),
            claims: claims(&allowed),
            since: account.date_time(Timestamp::from_millis(consent.first_granted_at)),
            id: consent.client_id,
        });
    }
    let page = Apps { who: account.who(), notice: done(query).notice(&["withdrawn"]), apps };
    Ok(account.show(&page).render()?)
}

/// POST `/account/apps`: withdraws the access of one. One that has none already is no error.
pub async fn post(PageForm(visit, form): PageForm<WithdrawForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/apps", &form.who));
    account.visit.app().members.withdraw_consent(&account.signed_in.member, &form.client).await?;
    Ok(account.visit.redirect("/account/apps?done=withdrawn")?)
}
