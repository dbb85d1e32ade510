//! First-time registration (初回登録): from the temporary password to an active account.
//!
//! A [`Draft`] collects what the pages ask for, step by step. 「メールを送信する」 turns it into a pending
//! [`Registration`](crate::storage::registration::Registration) whose mailed link completes it.

mod details;
mod link;
mod send;

use serde::{Deserialize, Serialize};

pub(super) use details::weakness;
pub use details::{Details, DetailsForm, DetailsRefusal, FieldError, Topic};
pub use link::{Completion, Link};
pub use send::{Resend, Send, Sending};

use super::{
    Members,
    birth_date::today,
    documents::{Document, Kind},
    roster::Person,
};
use crate::{
    clock::Timestamp,
    fault::Fault,
    storage::{
        document::Receipt,
        member::{self, Member, MemberState},
        registration, roster,
    },
    texts::Locale,
};

/// A registration before its mail is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// The person of the roster who gave the temporary password.
    pub person_id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// Documents that were accepted.
    pub receipts: Vec<Receipt>,
    /// What 基本設定 asked for.
    pub details: Option<Details>,
    /// The pending registration, once its mail is out.
    pub sent: Option<String>,
}

/// Where a draft stands; pages before it may be visited again, pages after it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The documents must be accepted.
    Documents,
    /// 基本設定 must be filled in.
    Details,
    /// What was filled in must be confirmed.
    Confirm,
    /// The mail is out.
    Sent,
}

impl Draft {
    /// The draft of a person who has just given the temporary password.
    pub fn new(person: &Person) -> Self {
        Self {
            person_id: person.id.clone(),
            insurer: person.insurer.clone(),
            receipts: Vec::new(),
            details: None,
            sent: None,
        }
    }

    /// Where it stands.
    pub const fn stage(&self) -> Stage {
        match self {
            Self { sent: Some(_), .. } => Stage::Sent,
            Self { details: Some(_), .. } => Stage::Confirm,
            Self { receipts, .. } if !receipts.is_empty() => Stage::Details,
            _ => Stage::Documents,
        }
    }

    /// Notes that exactly these documents were accepted.
    pub fn accept(&mut self, documents: &[&Document], now: Timestamp) {
        self.receipts = documents.iter().map(|document| document.receipt(now)).collect();
    }
}

/// Whether a draft may go on.
#[derive(Debug)]
pub enum Standing {
    /// It may, for this person.
    Open(Box<Person>),
    /// The person is younger than the insurer's policy allows.
    TooYoung(u32),
    /// The temporary password was voided, the person lost eligibility, or has an account by now.
    Ended,
}

/// How far a registration has come whose mail is out.
#[derive(Debug)]
pub enum Progress {
    /// The link was not used yet.
    Waiting,
    /// It was, and this is the member.
    Completed(Box<Member>),
    /// The link died, or a newer registration replaced this one.
    Ended,
}

impl Members {
    /// How far the registration of a draft has come.
    pub async fn registration_progress(&self, draft: &Draft) -> Result<Progress, Fault> {
        let Some(id) = draft.sent.as_deref() else { return Ok(Progress::Waiting) };
        let member = member::of_person(&self.db, &draft.person_id).await?;
        let active = member.filter(|member| {
            // A sign-out from everywhere after the activation ends this way in, too.
            member.state == MemberState::Active
                && member.activated_by.as_deref() == Some(id)
                && member.activated_at.is_some_and(|at| at >= member.sessions_valid_from)
        });
        if let Some(member) = active {
            return Ok(Progress::Completed(Box::new(member)));
        }
        let pending = registration::find(&self.db, id, self.clock.now()).await?;
        Ok(if pending.is_some() { Progress::Waiting } else { Progress::Ended })
    }

    /// Whether the person of a draft may still activate.
    pub async fn draft_standing(&self, draft: &Draft) -> Result<Standing, Fault> {
        let now = self.clock.now();
        let Some(person) = roster::find(&self.db, &draft.person_id).await? else {
            return Ok(Standing::Ended);
        };
        let Some(insurer) = self.insurer(&person.insurer) else { return Ok(Standing::Ended) };
        let member = member::of_person(&self.db, &person.id).await?;
        let free = member.is_none_or(|member| member.state == MemberState::Reset);
        if !free || !self.is_eligible(&person) || !person.temporary_password_open(now, &insurer.policy) {
            return Ok(Standing::Ended);
        }
        let age = insurer.policy.minimum_age;
        if person.birth_date.age_on(today(&self.clock)) < age {
            return Ok(Standing::TooYoung(age));
        }
        Ok(Standing::Open(Box::new(person)))
    }

    /// The documents that a draft must accept, in the language of the reader.
    pub fn documents_of(&self, draft: &Draft, locale: Locale) -> Result<[&Document; 2], Fault> {
        let [privacy, terms] = Kind::ALL.map(|kind| self.documents.current(&draft.insurer, kind, locale));
        privacy.zip(terms).map(|(privacy, terms)| [privacy, terms]).ok_or_else(|| {
            Fault::internal(format!("insurer {} is not in the configuration any more", draft.insurer))
        })
    }
}
