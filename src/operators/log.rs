//! The audit, searched, exported and verified.

use serde_json::{Value, json};

use super::Operators;
use crate::{
    audit::{
        Actor, Event,
        chain::{self, Tip, Verdict},
    },
    clock::Timestamp,
    fault::Fault,
    members::csv_cell::inert,
    storage::{
        Position,
        audit::Entry,
        audit_chain,
        audit_search::{self, Search},
    },
};

/// Lines that an export reads at a time.
pub const BATCH: i64 = 500;

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV (RFC 4180) in UTF-8 with a byte order mark, which spreadsheets ask for.
    Csv,
    /// JSON Lines: an object a line.
    Json,
}

impl Format {
    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// What a file of it begins with.
    pub fn head(self) -> Vec<u8> {
        match self {
            Self::Csv => {
                let mut bytes = "\u{feff}".as_bytes().to_vec();
                bytes.extend(csv_line(&COLUMNS.map(str::to_owned)));
                bytes
            }
            Self::Json => Vec::new(),
        }
    }

    /// Lines of the audit as they stand in a file of it.
    pub fn lines(self, entries: &[Entry]) -> Vec<u8> {
        entries.iter().flat_map(|entry| self.line(entry)).collect()
    }

    fn line(self, entry: &Entry) -> Vec<u8> {
        let at = utc(entry.at);
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        match self {
            Self::Csv => csv_line(&[
                at,
                entry.id.clone(),
                entry.actor.clone(),
                entry.action.clone(),
                text(&entry.insurer),
                text(&entry.member_id),
                text(&entry.client_id),
                entry.detail.clone(),
            ]),
            Self::Json => {
                let line = Self::object(entry);
                format!("{line}\n").into_bytes()
            }
        }
    }

    /// A line as a JSON object.
    pub(super) fn object(entry: &Entry) -> Value {
        let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        json!({
            "at": utc(entry.at),
            "id": entry.id,
            "actor": entry.actor,
            "action": entry.action,
            "insurer": entry.insurer,
            "member_id": entry.member_id,
            "client_id": entry.client_id,
            "detail": detail,
        })
    }
}

/// Columns of the CSV.
const COLUMNS: [&str; 8] = ["at", "id", "actor", "action", "insurer", "member_id", "client_id", "detail"];

fn csv_line(cells: &[String; 8]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail.
    writer.write_record(cells.each_ref().map(|cell| inert(cell).into_owned())).ok();
    writer.into_inner().unwrap_or_default()
}

/// An instant as lines of an export have it (RFC 3339, UTC, milliseconds).
pub fn utc(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| String::new(), |at| at.strftime("%FT%T%.3fZ").to_string())
}

impl Operators {
    /// Numbers and hashes for what was written since; see [`chain::link`].
    pub async fn link_audit(&self) -> Result<u64, Fault> {
        Ok(chain::link(&self.db, &self.master).await?)
    }

    /// Walks along the chain, what was written just now included, and notes who did.
    pub async fn verify_audit(&self, actor: &Actor, noted: Option<&Tip>) -> Result<Verdict, Fault> {
        self.link_audit().await?;
        let verdict = chain::verify(&self.db, &self.master, noted).await?;
        if let Some(line) = verdict.broken_at {
            tracing::error!(line, "the chain of the audit is broken");
        }
        let detail = json!({ "lines": verdict.lines, "broken_at": verdict.broken_at });
        self.record(&self.db, Event::by(actor, "audit.verified").with_detail(detail)).await?;
        Ok(verdict)
    }

    /// The newest lines that fit, before `before`.
    pub async fn audit_page(
        &self,
        search: &Search,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Entry>, Fault> {
        Ok(audit_search::page(&self.db, search, before, limit).await?)
    }

    /// Notes an export before its first line leaves.
    pub async fn note_export(&self, actor: &Actor, search: &Search, format: Format) -> Result<(), Fault> {
        let detail = json!({
            "format": if format == Format::Csv { "csv" } else { "json" },
            "since": search.since,
            "until": search.until,
            "action": search.action,
            "actor": search.actor,
            "member": search.member,
        });
        let insurer = Some(search.insurer.as_str()).filter(|code| !code.is_empty());
        let event = Event::by(actor, "audit.exported").with_detail(detail).with_insurer(insurer);
        self.record(&self.db, event).await
    }

    /// The next part of an export: the lines before `before`, and where the part after it begins.
    pub async fn export_part(
        &self,
        search: &Search,
        before: Option<&Position>,
        format: Format,
    ) -> Result<Option<(Vec<u8>, Position)>, Fault> {
        let entries = self.audit_page(search, before, BATCH).await?;
        let Some(last) = entries.last() else { return Ok(None) };
        let position = last.position();
        Ok(Some((format.lines(&entries), position)))
    }

    /// Every action that the audit knows.
    pub async fn audit_actions(&self) -> Result<Vec<String>, Fault> {
        Ok(audit_chain::actions(&self.db).await?)
    }
}

/// The instants of a range of calendar days in Japan, the last included.
pub fn days(from: jiff::civil::Date, to: jiff::civil::Date) -> Option<(i64, i64)> {
    let start = |date: jiff::civil::Date| {
        Some(
            jiff::tz::offset(9)
                .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
                .ok()?
                .as_millisecond(),
        )
    };
    Some((start(from)?, start(to.tomorrow().ok()?)?))
}

/// Everything up to now.
pub fn until_now(now: Timestamp) -> Search {
    Search { since: 0, until: now.millis().saturating_add(1), ..Search::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_runs_nothing_in_a_spreadsheet() {
        let entry = Entry {
            id: "-1".to_owned(),
            at: 1_795_396_500_000,
            actor: "cli:=cmd".to_owned(),
            action: "=1+1".to_owned(),
            insurer: None,
            member_id: Some("@x".to_owned()),
            client_id: None,
            detail: r#"{"reason":"a, \"b\""}"#.to_owned(),
        };
        let csv =
            String::from_utf8([Format::Csv.head(), Format::Csv.lines(std::slice::from_ref(&entry))].concat())
                .unwrap();
        assert_eq!(
            csv,
            "\u{feff}at,id,actor,action,insurer,member_id,client_id,detail\n\
             2026-11-23T01:15:00.000Z,'-1,cli:=cmd,'=1+1,,'@x,,\"{\"\"reason\"\":\"\"a, \\\"\"b\\\"\"\"\"}\"\n"
        );
        let json = String::from_utf8(Format::Json.lines(&[entry])).unwrap();
        let json: Value = serde_json::from_str(json.trim_end()).unwrap();
        assert_eq!(json["detail"]["reason"], "a, \"b\"");
    }

    #[test]
    fn a_day_is_one_of_japan() {
        let day = jiff::civil::date(2026, 11, 23);
        let (from, to) = days(day, day).unwrap();
        assert_eq!(Timestamp::from_millis(from).day_in_japan(), day);
        assert_eq!(Timestamp::from_millis(to - 1).day_in_japan(), day);
        assert_eq!(to - from, 86_400_000);
        assert_eq!(days(day, jiff::civil::Date::MAX), None);
    }
}
