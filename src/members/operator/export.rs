//! Everything that is held of a person, for a disclosure (開示請求, 個人情報の保護に関する法律 第33条): the roster, the
//! account and its registration, choices, consents, sessions, and the history.

use serde_json::{Map, Value, json};

use super::{Act, Refused, Subject};
use crate::{
    clock::Timestamp,
    fault::Fault,
    members::{
        EmailAddress, Members,
        device::{Browser, System},
    },
    storage::{
        Position,
        audit::{self, Entry, Whose},
        held::{self, By},
    },
};

/// Lines of the history that are read at a time.
const BATCH: i64 = 1_000;

/// A disclosure, as one JSON object: a member for each table, `session` and `audit`.
pub type Export = Map<String, Value>;

impl Members {
    /// Puts together what is held of a person, and writes down that it was.
    pub async fn export_subject(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<Export, Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        self.write_act(&mut tx, "member.exported", subject, act).await?;
        tx.commit().await?;
        let mut export = Map::new();
        export.insert("exported_at".to_owned(), json!(utc(self.clock.now())));
        export.insert("subject".to_owned(), json!(subject.member.as_ref().map(|member| &member.id)));
        for table in &held::TABLES {
            let id = match table.by {
                By::Person => Some(subject.person.id.as_str()),
                By::Member => subject.member.as_ref().map(|member| member.id.as_str()),
            };
            let rows = match id {
                Some(id) => held::rows(&self.db, table, id).await?,
                None => Vec::new(),
            };
            export.insert(table.name.to_owned(), Value::Array(rows));
        }
        export.insert("session".to_owned(), self.held_sessions(subject).await?);
        export.insert(held::HISTORY.to_owned(), self.whole_history(subject).await?);
        Ok(Ok(export))
    }

    async fn held_sessions(&self, subject: &Subject) -> Result<Value, Fault> {
        let Some(member) = &subject.member else { return Ok(json!([])) };
        let sessions = self.sessions_of(member, &subject.person).await?;
        let shown = sessions.into_iter().map(|session| {
            json!({
                "sid": session.sid,
                "browser": session.device.browser.map(Browser::name),
                "system": session.device.system.map(System::name),
                "signed_in_at": utc(session.auth_time),
                "seen_at": utc(session.seen_at),
            })
        });
        Ok(shown.collect())
    }

    async fn whole_history(&self, subject: &Subject) -> Result<Value, Fault> {
        let (mut lines, mut before) = (Vec::new(), None);
        loop {
            let page = self.timeline(subject, before.as_ref(), BATCH).await?;
            let Some(last) = page.last() else { return Ok(Value::Array(lines)) };
            before = Some(last.position());
            lines.extend(page.iter().map(line));
        }
    }

    /// The newest `limit` things that happened to a person, before `before`: roster, registration, mails to the
    /// present address, sign-ins, changes, acts of the office.
    pub async fn timeline(
        &self,
        subject: &Subject,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Entry>, Fault> {
        let member = subject.member.as_ref();
        let known = subject.person.email.as_ref().map(EmailAddress::as_str);
        let address = member.and_then(|member| member.email.as_deref()).or(known);
        let whose = Whose {
            person: &subject.person.id,
            member: member.map_or("", |member| member.id.as_str()),
            recipient: &address.map(|address| self.outbox.mark_of(address)).unwrap_or_default(),
        };
        Ok(audit::of_person(&self.db, whose, before, limit).await?)
    }
}

/// A line of the history as JSON.
pub fn line(entry: &Entry) -> Value {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    json!({
        "at": utc(Timestamp::from_millis(entry.at)),
        "id": entry.id,
        "actor": entry.actor,
        "action": entry.action,
        "client_id": entry.client_id,
        "detail": detail,
    })
}

fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.strftime("%FT%T%.3fZ").to_string())
}
