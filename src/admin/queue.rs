//! `/admin/mails` and `/admin/deliveries`: what waits to be sent, what was sent, and what was given up. Never the
//! content.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    guard::Operator,
    paging::{Pager, cut},
};
use crate::{
    clock::Timestamp,
    operators::{Permission, queues::Line},
    pages::sample,
    storage::{
        Position,
        queue::{Filter, Shown},
    },
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Rows on a page.
const ON_A_PAGE: usize = 50;
/// The states that there are.
const STATES: [&str; 3] = ["queued", "failed", "sent"];

/// Rows of a queue, the newest first. The filter comes back to its own path with GET.
#[derive(Clone, Debug, Serialize)]
pub struct QueuePage {
    /// `mails` or `deliveries`, as in names of texts and in the path.
    pub part: &'static str,
    /// States to choose from.
    pub states: [&'static str; 3],
    /// The chosen one; empty: all.
    pub state: String,
    /// Lines to choose from: names of texts; only where there are several.
    pub lines: Vec<&'static str>,
    /// The chosen one.
    pub line: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
    /// The other pages.
    pub pager: Pager,
    /// Whether this operator may do anything about them.
    pub may_manage: bool,
}

/// A row of a queue.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its id, as it stands in a path.
    pub key: String,
    /// Its kind.
    pub kind: String,
    /// What the kind is called, if it has a name.
    pub kind_text: Option<Message>,
    /// Whom it is for: a masked address, or an id.
    pub target: Option<String>,
    /// Insurer concerned.
    pub insurer: Option<String>,
    /// `queued`, `sending`, `sent` or `failed`.
    pub state: &'static str,
    /// Attempts so far.
    pub attempts: i64,
    /// What became of the last attempt.
    pub last_error: Option<String>,
    /// When it is tried next, in words.
    pub next: Option<String>,
    /// When it was added, in words.
    pub created: String,
    /// Minutes since then.
    pub minutes: i64,
    /// Whether it may be tried now.
    pub may_retry: bool,
    /// Whether it may be given up.
    pub may_give_up: bool,
    /// Whether its address may be marked as one that bounces.
    pub may_bounce: bool,
}

impl Row {
    /// The row as `reader` sees it.
    pub fn of(reader: &Operator, line: Line, row: &Shown) -> Self {
        let now = reader.app().now();
        let at = |millis: i64| reader.date_time(Timestamp::from_millis(millis));
        let waits = row.state == "queued";
        let sending = waits && row.leased_until > now.millis();
        let text = format!("queue-kind-{}", row.kind);
        let known = reader.app().texts.has(reader.visit.locale, &text);
        Self {
            key: path_part(&row.id),
            kind_text: known.then(|| Message::new(text)),
            kind: row.kind.clone(),
            target: row.target.clone().filter(|target| !target.is_empty()),
            insurer: row.insurer.clone(),
            state: match row.state.as_str() {
                "queued" if sending => "sending",
                "queued" => "queued",
                "sent" => "sent",
                _ => "failed",
            },
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            next: (waits && !sending).then(|| at(row.next_attempt_at)),
            created: at(row.created_at),
            minutes: (now.millis() - row.created_at) / 60_000,
            may_retry: waits && !sending || line == Line::Webhooks && row.state == "failed",
            may_give_up: waits && !sending,
            may_bounce: line == Line::Mails && row.target.as_ref().is_some_and(|target| !target.is_empty()),
        }
    }

    /// For samples.
    pub fn sample(state: &'static str) -> Self {
        let waits = state == "queued";
        Self {
            key: sample::INTERACTION.to_owned(),
            kind: "confirm_registration".to_owned(),
            kind_text: Some(Message::new("queue-kind-confirm_registration")),
            target: Some("t***@docomo.ne.jp".to_owned()),
            insurer: Some("7132".to_owned()),
            state,
            attempts: 3,
            last_error: (state != "sent").then(|| "451 4.3.0 try again later".to_owned()),
            next: waits.then(|| "2026年11月23日(月)10時20分".to_owned()),
            created: "2026年11月23日(月)10時15分".to_owned(),
            minutes: 140,
            may_retry: waits,
            may_give_up: waits,
            may_bounce: true,
        }
    }
}

/// An id as a part of a path.
pub fn path_part(id: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    encoded.replace('+', "%20")
}

impl Page for QueuePage {
    const TEMPLATE: &'static str = "admin/queue.html";

    fn samples() -> Vec<Self> {
        let hostile = Row {
            kind: sample::HOSTILE.to_owned(),
            kind_text: None,
            target: Some(sample::LONG.to_owned()),
            insurer: None,
            last_error: Some(sample::HOSTILE.to_owned()),
            may_bounce: false,
            ..Row::sample("failed")
        };
        let mails = Self {
            part: "mails",
            states: STATES,
            state: "queued".to_owned(),
            lines: vec![],
            line: "mails",
            rows: vec![
                Row { minutes: 0, attempts: 1, ..Row::sample("queued") },
                Row::sample("sending"),
                Row::sample("sent"),
                hostile,
            ],
            pager: Pager::new("/admin/mails", &[("state", "queued")], Some("1.x"), true),
            may_manage: true,
        };
        let looking = Self { may_manage: false, pager: Pager::default(), ..mails.clone() };
        let deliveries = Self {
            part: "deliveries",
            state: String::new(),
            lines: vec!["protocol", "webhooks"],
            line: "webhooks",
            rows: vec![Row { may_bounce: false, ..Row::sample("queued") }],
            ..mails.clone()
        };
        let none = Self { rows: vec![], ..deliveries.clone() };
        vec![mails, looking, deliveries, none]
    }
}

/// What is asked for, as it stands in the URL.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    state: String,
    line: String,
    after: String,
}

type Read = Result<Query<Asked>, QueryRejection>;

/// GET `/admin/mails`
pub async fn mails(reader: Operator, asked: Read) -> Result<Response, PageError> {
    // A query that cannot be read asks for everything.
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    page(&reader, Line::Mails, asked, reader.may(Permission::ManageMails)).await
}

/// GET `/admin/deliveries`
pub async fn deliveries(reader: Operator, asked: Read) -> Result<Response, PageError> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let line = if asked.line == "protocol" { Line::Protocol } else { Line::Webhooks };
    page(&reader, line, asked, reader.may(Permission::ManageWebhooks)).await
}

async fn page(reader: &Operator, line: Line, asked: Asked, may_manage: bool) -> Result<Response, PageError> {
    let state = STATES.into_iter().find(|state| *state == asked.state).unwrap_or_default();
    let filter = Filter {
        state: state.to_owned(),
        insurer: reader.scope().unwrap_or_default().to_owned(),
        ..Filter::default()
    };
    let before = position(&asked.after);
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut rows = reader.app().operators.queue_page(line, &filter, before.as_ref(), limit).await?;
    let more = cut(&mut rows, ON_A_PAGE);
    let cursor = rows.last().filter(|_| more).map(|last| last.position().to_string());
    let (part, lines, name) = match line {
        Line::Mails => ("mails", vec![], "mails"),
        Line::Protocol => ("deliveries", vec!["webhooks", "protocol"], "protocol"),
        Line::Webhooks => ("deliveries", vec!["webhooks", "protocol"], "webhooks"),
    };
    let path = if part == "mails" { "/admin/mails" } else { "/admin/deliveries" };
    let kept = [("state", state), ("line", if part == "mails" { "" } else { name })];
    let page = QueuePage {
        part,
        states: STATES,
        state: state.to_owned(),
        lines,
        line: name,
        rows: rows.iter().map(|row| Row::of(reader, line, row)).collect(),
        pager: Pager::new(path, &kept, cursor.as_deref(), before.is_some()),
        may_manage,
    };
    Ok(reader.show(&page).render()?)
}

/// Where a page begins: ids of this table have more characters than [`Position::parse`] knows.
fn position(text: &str) -> Option<Position> {
    Position::parse_if(text, |id| id.len() <= 600 && !id.contains('\0'))
}
