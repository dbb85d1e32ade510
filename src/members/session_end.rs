//! How a session ends, and who is told: the relying parties that were given an ID token in it (Back-Channel
//! Logout 1.0, Front-Channel Logout 1.0). A session that is not used any more just expires; nobody is told.

use serde::{Deserialize, Serialize};

use super::{
    Members,
    birth_date::today,
    session::{Session, list_of},
};
use crate::{clock::Timestamp, fault::Fault, storage::delivery};

/// Kind of the messages that tell of an end.
pub const LOGOUT: &str = "logout";

/// Relying parties that a session remembers. Beyond that the oldest are forgotten, and not told.
const MOST: usize = 100;
/// Changes that lose against a parallel one are tried again this often.
const TRIES: usize = 10;

/// A relying party that was given an ID token in a session and wants to be told of its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// `client_id`.
    pub client_id: String,
    /// The member's subject there.
    pub sub: String,
    /// Whether it is told over the back channel; others are told through the browser alone.
    pub back_channel: bool,
}

/// What a logout message is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// `sid` of the session.
    pub sid: String,
    /// The member's subject at the relying party.
    pub sub: String,
}

impl Members {
    /// Remembers a relying party that is given an ID token in the session of this `sid`; false if that has
    /// ended, and then it must be given none.
    pub async fn note_party(&self, sid: &str, party: &Party) -> Result<bool, Fault> {
        for _ in 0..TRIES {
            let found = self.ephemeral.get::<Session>(sid).await?;
            let Some(found) = found.filter(|found| self.in_time(&found.value)) else { return Ok(false) };
            if found.parties.contains(party) {
                return Ok(true);
            }
            let mut session = found.value.clone();
            session.parties.retain(|known| known.client_id != party.client_id);
            let surplus = (session.parties.len() + 1).saturating_sub(MOST);
            session.parties.drain(..surplus);
            session.parties.push(party.clone());
            if self.ephemeral.swap(sid, &found, &session, self.session_ttl(&session)).await? {
                return Ok(true);
            }
        }
        Err(Fault::internal("a session changes all the time"))
    }

    /// Ends the session of a cookie, as [`Members::end_session`] does.
    pub async fn end_session_of(&self, cookie: &str) -> Result<Option<Session>, Fault> {
        match self.session_of(cookie).await? {
            Some(found) => self.end_session(&found.value.sid).await,
            None => Ok(None),
        }
    }

    /// Ends the session of this `sid` and has its relying parties told; gives it, or none when it had ended
    /// before.
    pub async fn end_session(&self, sid: &str) -> Result<Option<Session>, Fault> {
        let Some(found) = self.ephemeral.get::<Session>(sid).await? else { return Ok(None) };
        // First: what is told twice is sent once, and what is not told when we fail in between is lost.
        self.tell_parties(&found.value).await?;
        let Some(session) = self.forget_session(sid).await? else { return Ok(None) };
        if session.parties != found.parties {
            self.tell_parties(&session).await?;
        }
        Ok(Some(session))
    }

    /// Takes a session away without a word.
    pub(super) async fn forget_session(&self, sid: &str) -> Result<Option<Session>, Fault> {
        let Some(session) = self.ephemeral.take::<Session>(sid).await? else { return Ok(None) };
        self.ephemeral.untag(&list_of(&session.member_id), sid).await?;
        Ok(Some(session))
    }

    /// Writes the messages of an end. Each is named after the session and the client, so that it is sent once
    /// however many notice the end.
    async fn tell_parties(&self, session: &Session) -> Result<(), Fault> {
        if !session.parties.iter().any(|party| party.back_channel) {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        for Party { client_id, sub, .. } in session.parties.iter().filter(|party| party.back_channel) {
            let id = format!("{LOGOUT}:{}:{client_id}", session.sid);
            let content = Ended { sid: session.sid.clone(), sub: sub.clone() };
            self.deliveries.enqueue(&mut tx, &id, LOGOUT, client_id, &content).await?;
        }
        tx.commit().await?;
        self.deliveries.wake();
        Ok(())
    }

    /// The browser has a new session, `fresh`, after `old`: both are cookies. If the same member signed in
    /// again, the session that relying parties know goes on under its `sid`, as new; else the old one ends.
    /// Gives the cookie that the browser is to have.
    pub async fn replace_session(&self, old: Option<&str>, fresh: &str) -> Result<String, Fault> {
        let Some(new) = self.session_of(fresh).await? else { return Ok(fresh.to_owned()) };
        let Some(old) = old else { return Ok(fresh.to_owned()) };
        for _ in 0..TRIES {
            let Some(before) = self.session_of(old).await?.filter(|before| before.sid != new.sid) else {
                return Ok(fresh.to_owned());
            };
            if !self.in_time(&before.value) {
                self.forget_session(&before.sid).await?;
                return Ok(fresh.to_owned());
            }
            let same = before.member_id == new.member_id
                && self.standing(&before.member_id, before.created_at).await?.is_some();
            if !same {
                self.end_session(&before.sid).await?;
                return Ok(fresh.to_owned());
            }
            let Session { sid, parties, .. } = before.value.clone();
            let cookie = fresh.replacen(&new.sid, &sid, 1);
            let session = Session { sid, parties, ..new.value.clone() };
            // Listed until the later end of the two.
            let rest = session.expires_at.since(self.clock.now());
            self.ephemeral.tag(&list_of(&session.member_id), &session.sid, rest).await?;
            if self.ephemeral.swap(&session.sid, &before, &session, self.session_ttl(&session)).await? {
                self.forget_session(&new.sid).await?;
                return Ok(cookie);
            }
        }
        Err(Fault::internal("a session changes all the time"))
    }

    /// Ends the sessions of a member but the one of the `sid` `except`, and has their relying parties told. Those
    /// too that a node with a clock ahead has dated after the change of the account that made them void.
    pub(super) async fn end_sessions(&self, member_id: &str, except: Option<&str>) -> Result<(), Fault> {
        let list = list_of(member_id);
        for sid in self.ephemeral.tagged(&list).await? {
            if except != Some(sid.as_str()) {
                self.end_session(&sid).await?;
                self.ephemeral.untag(&list, &sid).await?;
            }
        }
        Ok(())
    }

    /// Has the relying parties told of the sessions that the change of day made void: those of members whose
    /// last day of eligibility was yesterday. No session is older. An import tells of what it ends itself.
    pub async fn tell_of_lost_eligibility(&self) -> Result<(), Fault> {
        let today = today(&self.clock);
        let Ok(yesterday) = today.yesterday() else { return Ok(()) };
        let over = Timestamp::start_of_day_in_japan(today);
        delivery::sessions_ended_by_date(&self.db, yesterday, over).await?;
        self.deliveries.wake();
        Ok(())
    }

    /// Ends every session of a member that began before `epoch`, for those that a change of the account made
    /// void, and has their relying parties told.
    pub async fn end_sessions_before(&self, member_id: &str, epoch: Timestamp) -> Result<(), Fault> {
        let list = list_of(member_id);
        for sid in self.ephemeral.tagged(&list).await? {
            match self.ephemeral.get::<Session>(&sid).await? {
                Some(session) if session.created_at >= epoch => {}
                Some(_) => drop(self.end_session(&sid).await?),
                None => self.ephemeral.untag(&list, &sid).await?,
            }
        }
        Ok(())
    }
}
