//! `/account/history`: sign-ins, good and bad, and what was changed about the account.

use std::time::Duration;

use axum::{extract::RawQuery, response::Response};
use serde::Serialize;

use super::{Account, entered};
use crate::{
    clients::Client,
    clock::Timestamp,
    fault::Fault,
    members::device::{Browser, Device, System},
    pages::sample,
    storage::{Position, audit},
    web::{PageError, Visit, templates::Page},
};

/// How far back it goes.
const REACH: Duration = Duration::from_secs(90 * 24 * 3600);
/// Entries of a page.
const ON_A_PAGE: usize = 20;

/// Events that have words in `templates/texts/account.*.ftl`, without what stands before the dot.
const EVENTS: [&str; 15] = [
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "activated",
    "password_wrong",
    "password_changed",
    "email_changed",
    "session_ended",
    "signed_out_elsewhere",
    "consent_withdrawn",
    "reported",
    "documents_accepted",
    "login_id_changed",
    "password_replaced",
    "login_id_shown",
];

/// A page of the history, the newest first.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    pub older: Option<String>,
    /// Whether this is a later page.
    pub paged: bool,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// One of [`EVENTS`].
    pub event: String,
    /// Whether to look twice.
    pub alarming: bool,
    /// When, in words.
    pub at: String,
    /// How often, where entries are counted by the hour.
    pub times: Option<i64>,
    /// Name of the app.
    pub client: Option<String>,
    /// Browser family.
    pub browser: Option<&'static str>,
    /// Operating system.
    pub system: Option<&'static str>,
}

impl Page for History {
    const TEMPLATE: &'static str = "pages/account/history.html";

    fn samples() -> Vec<Self> {
        let entry = |event: &str| Entry {
            event: event.to_owned(),
            alarming: is_alarming(event),
            at: "2026年11月23日(月)10時15分".to_owned(),
            times: None,
            client: None,
            browser: None,
            system: None,
        };
        let none = Self { entries: vec![], older: None, paged: false };
        let mut all: Vec<_> = EVENTS.iter().map(|event| entry(event)).collect();
        all[0].client = Some(sample::CLIENT.to_owned());
        all[0].browser = Some("Safari");
        all[0].system = Some("iPhone");
        all[1].times = Some(3);
        all[1].client = Some(sample::HOSTILE.to_owned());
        all[1].system = Some("Windows");
        let full = Self { entries: all, older: Some("1795396500000.AbC-_".to_owned()), paged: true };
        vec![none, full]
    }
}

/// GET `/account/history`
pub async fn get(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/history"));
    let before = query.as_deref().and_then(position);
    let app = account.visit.app();
    let (member, since) = (&account.signed_in.member.id, app.now().minus(REACH).millis());
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut lines =
        audit::history(&app.members.db, member, since, before.as_ref(), limit).await.map_err(Fault::from)?;
    // One more than is shown tells whether there is another page.
    let more = lines.len() > ON_A_PAGE;
    lines.truncate(ON_A_PAGE);
    let older = lines.last().filter(|_| more).map(|line| line.position().to_string());
    let mut entries = Vec::with_capacity(lines.len());
    for line in &lines {
        entries.push(entry(&account, line).await?);
    }
    let page = History { entries, older, paged: before.is_some() };
    Ok(account.show(&page).render()?)
}

async fn entry(account: &Account, line: &audit::Entry) -> Result<Entry, Fault> {
    let client = match &line.client_id {
        Some(id) => Client::find(&account.visit.app().members.db, id).await?,
        None => None,
    };
    let event = line.action.split_once('.').map_or("", |(_, event)| event).to_owned();
    let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap_or_default();
    let device: Device = serde_json::from_value(detail["device"].clone()).unwrap_or_default();
    Ok(Entry {
        alarming: is_alarming(&event),
        event,
        at: account.date_time(Timestamp::from_millis(line.at)),
        times: detail["count"].as_i64().filter(|times| *times > 1),
        client: client.map(|client| client.name_in(account.visit.locale).to_owned()),
        browser: device.browser.map(Browser::name),
        system: device.system.map(System::name),
    })
}

fn is_alarming(event: &str) -> bool {
    matches!(event, "sign_in_failed" | "password_wrong" | "reported")
}

/// `before=MILLIS.ID` of a query.
fn position(query: &str) -> Option<Position> {
    let (_, text) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "before")?;
    Position::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_or_is_none() {
        let read = |query| position(query).map(|position| (position.at, position.id));
        assert_eq!(read("ui_locales=en&before=17.Ab-_"), Some((17, "Ab-_".to_owned())));
        for bad in [
            "",
            "before=",
            "before=17",
            "before=x.y",
            "before=99999999999999999999.a",
            "other=1.a",
            "before=1.%00",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read(&format!("before=1.{}", "a".repeat(65))), None);
    }
}
