//! Where a member is signed in. The records are shared by all nodes, so what is ended here is ended
//! everywhere at once.

use crate::{
    audit::{self, Event},
    clock::Timestamp,
    fault::Fault,
    members::{
        Members,
        device::Device,
        roster::Person,
        session::{Session, SignedIn, list_of, sid_of},
    },
    storage::{
        delivery,
        member::{self, Member},
        member_change,
    },
};

use super::next_epoch;

/// A session as its member sees it.
#[derive(Clone, Debug)]
pub struct ListedSession {
    /// `sid`: names it and opens nothing.
    pub sid: String,
    /// What kind of device it is on.
    pub device: Device,
    /// When the member signed in.
    pub auth_time: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// Whether it is the one of this request.
    pub present: bool,
}

impl Members {
    /// The member's sessions: the present one first, then the latest used.
    pub async fn sessions(&self, signed_in: &SignedIn) -> Result<Vec<ListedSession>, Fault> {
        let mut listed =
            self.listed_sessions((&signed_in.member, &signed_in.person), &signed_in.session.sid).await?;
        listed.sort_by_key(|session| (!session.present, std::cmp::Reverse(session.seen_at)));
        Ok(listed)
    }

    /// The sessions of a member for the office: the latest used first.
    pub async fn sessions_of(&self, member: &Member, person: &Person) -> Result<Vec<ListedSession>, Fault> {
        let mut listed = self.listed_sessions((member, person), "").await?;
        listed.sort_by_key(|session| std::cmp::Reverse(session.seen_at));
        Ok(listed)
    }

    async fn listed_sessions(
        &self,
        whose: (&Member, &Person),
        present: &str,
    ) -> Result<Vec<ListedSession>, Fault> {
        let live = self.live_sessions(whose).await?.into_iter();
        let listed = live.map(|session| ListedSession {
            present: session.sid == present,
            sid: session.sid,
            device: session.device,
            auth_time: session.auth_time,
            seen_at: session.seen_at,
        });
        Ok(listed.collect())
    }

    /// The sessions that stand; those that stand no more are taken off the list.
    async fn live_sessions(&self, (member, person): (&Member, &Person)) -> Result<Vec<Session>, Fault> {
        let list = list_of(&member.id);
        let valid_from = self.valid_from(member, person);
        let mut live = Vec::new();
        for sid in self.ephemeral.tagged(&list).await? {
            let session = self.ephemeral.get::<Session>(&sid).await?.map(|found| found.value);
            let standing = session.filter(|session| {
                session.member_id == member.id && session.created_at >= valid_from && self.in_time(session)
            });
            match standing {
                Some(session) => live.push(session),
                None => self.ephemeral.untag(&list, &sid).await?,
            }
        }
        Ok(live)
    }

    /// Ends one of the member's own sessions; false when there is none of that `sid`.
    pub async fn end_own_session(&self, signed_in: &SignedIn, sid: &str) -> Result<bool, Fault> {
        let sessions = self.live_sessions((&signed_in.member, &signed_in.person)).await?;
        if !sessions.iter().any(|session| session.sid == sid) {
            return Ok(false);
        }
        let ended = self.end_session(sid).await?.is_some();
        if ended {
            let event = Event::member("member.session_ended", &signed_in.member);
            audit::record(&self.db, &self.entropy, self.clock.now(), event).await?;
        }
        Ok(ended)
    }

    /// Ends every other session and what apps were given in any of them; returns the cookie of the
    /// session that goes on here. It is no new sign-in, so its time and its end stay.
    pub async fn sign_out_elsewhere(&self, signed_in: &SignedIn) -> Result<String, Fault> {
        let member = &signed_in.member;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        member_change::void_sessions(&mut tx, &member.id, next_epoch(member, now)).await?;
        self.void_links(&mut tx, &member.id).await?;
        let event = Event::member("member.signed_out_elsewhere", member);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        let fresh = member::find(&mut tx, &member.id).await?;
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        tx.commit().await?;
        let epoch = fresh.map_or(now, |fresh| fresh.sessions_valid_from);
        // Nobody is told of the end of this one: it goes on, under the `sid` that relying parties know.
        let present = self.forget_session(&signed_in.session.sid).await?;
        let present = present.unwrap_or_else(|| signed_in.session.clone());
        let cookie =
            self.store_session(Session { created_at: now.max(epoch), seen_at: now, ..present }).await?;
        self.end_sessions(&member.id, Some(sid_of(&cookie))).await?;
        Ok(cookie)
    }
}
