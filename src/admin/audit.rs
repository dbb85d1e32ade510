//! `/admin/audit`: what happened, by time, kind, actor, member and insurer.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    dashboard::action_text,
    guard::Operator,
    paging::{Pager, cut},
};
use crate::{
    clock::Timestamp,
    operators::log,
    pages::{
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    storage::{Position, audit::Entry, audit_search::Search},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Lines on a page.
const ON_A_PAGE: usize = 50;
/// Days that are searched unless the reader says otherwise, today included.
const USUAL_DAYS: i64 = 30;
/// Characters of a filter that are looked at.
const MOST_TYPED: usize = 100;

/// Lines of the audit, the newest first. The filter comes back to its own path with GET; `…/export` gets the
/// same fields and `format`, `…/verify` none.
#[derive(Clone, Debug, Serialize)]
pub struct AuditPage {
    /// What was asked for.
    pub filter: Filter,
    /// Every kind that there is: name, and name of its text if it has one.
    pub actions: Vec<Kind>,
    /// Insurers to choose from; none for those who work for one.
    pub insurers: Vec<InsurerChoice>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The other pages.
    pub pager: Pager,
    /// What is wrong with the filter.
    pub errors: FormErrors,
}

/// What is asked for, as it stands in the URL.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Filter {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// What happened.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// Subject of the member concerned.
    pub member: String,
    /// Portal code of the insurer concerned.
    pub insurer: String,
    /// Where the page begins.
    #[serde(skip_serializing)]
    pub after: String,
}

/// A kind of line.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// As in the audit.
    pub name: String,
    /// Its text, if there is one.
    pub text: Option<Message>,
}

/// A line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When, in words.
    pub at: String,
    /// Who.
    pub actor: String,
    /// Name of the operator who did it.
    pub name: Option<String>,
    /// What.
    pub kind: Kind,
    /// Insurer concerned.
    pub insurer: Option<String>,
    /// Member concerned.
    pub member: Option<String>,
    /// Client concerned.
    pub client: Option<String>,
    /// Names and values of what else is known.
    pub detail: Vec<(String, String)>,
}

impl Page for AuditPage {
    const TEMPLATE: &'static str = "admin/audit.html";

    fn samples() -> Vec<Self> {
        let kind = |name: &str| Kind { name: name.to_owned(), text: Some(Message::new(action_text(name))) };
        let line = Line {
            at: "2026年11月23日(月)10時15分".to_owned(),
            actor: "operator:q7Zk3vX0aJm2Yt8RbLwN1g".to_owned(),
            name: Some("山田 太郎".to_owned()),
            kind: kind("member.reset"),
            insurer: Some("7132".to_owned()),
            member: Some(sample::INTERACTION.to_owned()),
            client: None,
            detail: vec![("reason".to_owned(), "電話で本人確認済み".to_owned())],
        };
        let hostile = Line {
            actor: "cli:=cmd".to_owned(),
            name: None,
            kind: Kind { name: "new.kind".to_owned(), text: None },
            client: Some(sample::INTERACTION.to_owned()),
            detail: vec![("reason".to_owned(), sample::HOSTILE.to_owned())],
            ..line.clone()
        };
        let full = Self {
            filter: Filter {
                from: "2026-10-25".to_owned(),
                action: "member.reset".to_owned(),
                ..Filter::default()
            },
            actions: vec![kind("member.reset"), hostile.kind.clone()],
            insurers: sample::insurers(),
            lines: vec![line, hostile],
            pager: Pager::new("/admin/audit", &[("action", "member.reset")], Some("1.x"), true),
            errors: FormErrors::none(),
        };
        let none = Self {
            filter: Filter { actor: sample::HOSTILE.to_owned(), ..Filter::default() },
            insurers: vec![],
            lines: vec![],
            pager: Pager::default(),
            errors: FormErrors::field("from", Message::new("audit-error-date")),
            ..full.clone()
        };
        vec![full, none]
    }
}

impl Filter {
    /// What to look for in the audit, within the insurer that the operator works for; or the date that is none.
    pub fn search(&self, operator: &Operator) -> Result<Search, &'static str> {
        let date = |text: &str, name: &'static str| text.trim().parse::<Date>().map_err(|_| name);
        let today = operator.app().now().day_in_japan();
        let from = match self.from.trim() {
            "" => today.saturating_sub((USUAL_DAYS - 1).days()),
            text => date(text, "from")?,
        };
        let to = if self.to.trim().is_empty() { today } else { date(&self.to, "to")? };
        let (since, until) = log::days(from, to).ok_or("from")?;
        let insurer = operator.scope().unwrap_or(&self.insurer);
        Ok(Search {
            since,
            until,
            action: typed(&self.action),
            actor: typed(&self.actor),
            member: typed(&self.member),
            insurer: typed(insurer),
        })
    }
}

/// What was typed, without what no line has; PostgreSQL would answer a NUL with an error.
fn typed(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MOST_TYPED).collect()
}

/// GET `/admin/audit`
pub async fn get(
    operator: Operator,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, PageError> {
    // A query that cannot be read asks for everything.
    let mut filter = filter.map(|Query(filter)| filter).unwrap_or_default();
    let operators = &operator.app().operators;
    let before = Position::parse(&filter.after);
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let (mut entries, errors) = match filter.search(&operator) {
        Ok(search) => (operators.audit_page(&search, before.as_ref(), limit).await?, FormErrors::none()),
        Err(name) => (Vec::new(), FormErrors::field(name, Message::new("audit-error-date"))),
    };
    let more = cut(&mut entries, ON_A_PAGE);
    let cursor = entries.last().filter(|_| more).map(|last| last.position().to_string());
    let kept = [
        ("from", &*filter.from),
        ("to", &filter.to),
        ("action", &filter.action),
        ("actor", &filter.actor),
        ("member", &filter.member),
        ("insurer", &filter.insurer),
    ];
    let pager = Pager::new("/admin/audit", &kept, cursor.as_deref(), before.is_some());
    let actions = operators.audit_actions().await?;
    filter.after.clear();
    let page = AuditPage {
        actions: actions.into_iter().map(|name| kind(&operator, name)).collect(),
        insurers: insurers(&operator),
        lines: lines(&operator, entries).await?,
        filter,
        pager,
        errors,
    };
    Ok(operator.show(&page).render()?)
}

fn kind(operator: &Operator, name: String) -> Kind {
    let text = action_text(&name);
    let text = operator.app().texts.has(operator.visit.locale, &text).then(|| Message::new(text));
    Kind { name, text }
}

fn insurers(operator: &Operator) -> Vec<InsurerChoice> {
    if operator.scope().is_some() {
        return Vec::new();
    }
    let all = operator.app().config().insurers.iter();
    all.map(|one| InsurerChoice::of(one, operator.visit.locale)).collect()
}

/// The lines as they are shown, with the names of the operators who acted.
pub(super) async fn lines(operator: &Operator, entries: Vec<Entry>) -> Result<Vec<Line>, PageError> {
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut name = None;
        if let Some(id) = entry.actor.strip_prefix("operator:") {
            if !names.contains_key(id) {
                let found = operator.app().operators.operator(id).await?;
                names.insert(id.to_owned(), found.map(|found| found.name));
            }
            name = names.get(id).cloned().flatten();
        }
        lines.push(Line {
            at: operator.date_time(Timestamp::from_millis(entry.at)),
            actor: entry.actor,
            name,
            kind: kind(operator, entry.action),
            insurer: entry.insurer,
            member: entry.member_id,
            client: entry.client_id,
            detail: detail(&entry.detail),
        });
    }
    Ok(lines)
}

fn detail(json: &str) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let pairs = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    pairs
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}
