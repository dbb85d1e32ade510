//! `/account/preferences`: 配信設定.

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Account, DoneQuery, done, entered};
use crate::{
    fault::Fault,
    members::registration,
    pages::{
        details::{TOPICS, Topic},
        sample,
    },
    storage::preference,
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// The topics. Posts one `topics` for each that is ticked to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct Preferences {
    /// For whom the form is.
    pub who: String,
    /// What was done just before.
    pub notice: Option<Message>,
    /// What there is to choose from.
    pub topics: Vec<Topic>,
}

impl Page for Preferences {
    const TEMPLATE: &'static str = "pages/account/preferences.html";

    fn samples() -> Vec<Self> {
        let topic =
            |id: &str, label: &str, chosen| Topic { id: id.to_owned(), label: label.to_owned(), chosen };
        let usual = Self {
            who: sample::INTERACTION.to_owned(),
            notice: None,
            topics: vec![
                topic("checkup", "健診・人間ドックのお知らせ", true),
                topic("programme", "健康づくりのイベントのお知らせ", false),
            ],
        };
        let saved = Self {
            notice: Some(Message::new("account-notice-preferences")),
            topics: vec![topic(sample::HOSTILE, sample::HOSTILE, true), topic("long", sample::LONG, false)],
            ..usual.clone()
        };
        vec![usual, saved]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct PreferencesForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    topics: Vec<String>,
}

/// GET `/account/preferences`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/preferences"));
    let app = account.visit.app();
    let stored =
        preference::list(&app.members.db, &account.signed_in.member.id).await.map_err(Fault::from)?;
    let wanted = |id: &str| stored.iter().any(|stored| stored.topic == id && stored.wanted);
    let topics = TOPICS
        .into_iter()
        .map(|(id, text)| Topic {
            id: id.to_owned(),
            label: app.texts.text(account.visit.locale, text, &[]),
            chosen: wanted(id),
        })
        .collect();
    let page = Preferences { who: account.who(), notice: done(query).notice(&["preferences"]), topics };
    Ok(account.show(&page).render()?)
}

/// POST `/account/preferences`
pub async fn post(PageForm(visit, form): PageForm<PreferencesForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/preferences", &form.who));
    let app = account.visit.app();
    let topics: Vec<_> = TOPICS
        .into_iter()
        .map(|(id, text)| registration::Topic {
            id,
            wording: app.texts.text(account.visit.locale, text, &[]),
        })
        .collect();
    app.members.save_preferences(&account.signed_in.member, &form.topics, &topics).await?;
    Ok(account.visit.redirect("/account/preferences?done=preferences")?)
}
