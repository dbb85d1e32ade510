//! `preferences export`: 配信設定 for those who send.

use std::{
    fs::{self, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use serde_json::json;

use super::Tools;
use crate::{
    audit::{self, Actor, Event},
    clock::Timestamp,
    config::Insurer,
    members::{birth_date::today, csv_cell::inert},
    storage::{preference, roster},
};

/// Rows that are read at a time.
const BATCH: i64 = 1_000;

/// Writes who wants what to `path`, which only its owner may read, and gives the number of rows. Only
/// topics that are wanted, by active members with a confirmed address who are eligible today.
pub async fn export(tools: &Tools, insurer: &Insurer, operator: &str, path: &Path) -> anyhow::Result<u64> {
    // Complete or not at all: a file that ends early would look like members who want nothing.
    let unfinished = path.with_extension("unfinished");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let file = file.with_context(|| format!("{} cannot be written", unfinished.display()))?;
    let rows = write(tools, insurer, BufWriter::new(file)).await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            fs::remove_file(&unfinished).ok();
            return Err(error);
        }
    };
    fs::rename(&unfinished, path).with_context(|| format!("{} cannot be written", path.display()))?;
    let event = Event::by(&Actor::command_line(operator), "preferences.exported")
        .with_detail(json!({ "rows": rows }));
    let event = Event { insurer: Some(&insurer.code), ..event };
    audit::record(&tools.db, &tools.entropy, tools.clock.now(), event).await?;
    Ok(rows)
}

/// Writes the rows as they are read, so that a roster of any size takes no memory.
async fn write(tools: &Tools, insurer: &Insurer, out: impl Write) -> anyhow::Result<u64> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["topic", "email", "member_id", "agreed_at", "wording"])?;
    let today = today(&tools.clock);
    let (mut written, mut after) = (0, (String::new(), String::new()));
    // Whether the person of the rows at hand is eligible: a member's rows follow each other.
    let mut eligible: Option<(String, bool)> = None;
    loop {
        let position = (after.0.as_str(), after.1.as_str());
        let rows = preference::wanted_after(&tools.db, &insurer.code, position, BATCH).await?;
        let Some(last) = rows.last() else { break };
        let next = (last.member_id.clone(), last.topic.clone());
        for row in &rows {
            if eligible.as_ref().is_none_or(|(person, _)| *person != row.person_id) {
                let person = roster::find(&tools.db, &row.person_id).await?;
                let grace = insurer.policy.grace_days;
                let fits = person.is_some_and(|person| person.eligible_on(today, grace));
                eligible = Some((row.person_id.clone(), fits));
            }
            if eligible.as_ref().is_some_and(|(_, fits)| *fits) {
                let at = instant(Timestamp::from_millis(row.changed_at));
                let cells = [&row.topic, &row.email, &row.member_id, &at, &row.wording];
                csv.write_record(cells.map(|cell| inert(cell).into_owned()))?;
                written += 1;
            }
        }
        after = next;
    }
    csv.flush()?;
    Ok(written)
}

fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.strftime("%FT%TZ").to_string())
}
