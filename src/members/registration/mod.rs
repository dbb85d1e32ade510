//! First-time registration (初回登録): from the temporary password, or from 資格照会, to an active account.
//!
//! A [`Draft`] collects what the pages ask for, step by step. 「メールを送信する」 turns it into a pending
//! [`Registration`](crate::storage::registration::Registration) whose mailed link completes it.

mod details;
mod eligibility;
mod link;
mod notice;
mod send;

use serde::{Deserialize, Serialize};

pub(super) use details::weakness;
pub use details::{Details, DetailsForm, DetailsRefusal, FieldError, Topic};
pub use eligibility::{Inquired, Inquiry, InquiryForm};
pub use link::{Completion, Link};
pub use send::{Resend, Send, Sending};

use super::{Members, birth_date::today, documents::Document, roster::Person};
use crate::{
    clock::Timestamp,
    fault::Fault,
    storage::{
        document::Receipt,
        member::{self, Member, MemberState},
        registration, roster,
    },
};

/// A registration before its mail is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// The person of the roster.
    pub person_id: String,
    /// What the person was when the registration began; see [`Members::mark_of`].
    pub person_mark: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// Who the person is to us.
    pub applicant: Applicant,
    /// Documents that were accepted.
    pub receipts: Vec<Receipt>,
    /// What 基本設定 asked for.
    pub details: Option<Details>,
    /// The pending registration, once its mail is out.
    pub sent: Option<String>,
}

/// Who registers, and so what the login ID is going to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applicant {
    /// An insured person (一般被保険者) who gave the temporary password: the login ID is made of the number.
    Insured,
    /// A dependent or voluntarily insured person, with what was typed at 資格照会: the e-mail address becomes
    /// the login ID.
    SelfRegistered(Inquiry),
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
    /// What was typed at 資格照会, if that is how it began.
    pub const fn inquiry(&self) -> Option<&Inquiry> {
        match &self.applicant {
            Applicant::Insured => None,
            Applicant::SelfRegistered(inquiry) => Some(inquiry),
        }
    }

    /// This fresh draft, with what an earlier one of the same tab has collected for the same person. One
    /// whose mail is out begins anew.
    #[must_use]
    pub fn resuming(self, earlier: Option<&Self>) -> Self {
        match earlier {
            Some(earlier)
                if earlier.person_id == self.person_id
                    && earlier.person_mark == self.person_mark
                    && earlier.sent.is_none() =>
            {
                // The name is kept as it was typed last.
                let kana = self.inquiry().map(|inquiry| inquiry.kana.as_str());
                let details = earlier.details.clone().filter(|d| kana.is_none_or(|kana| kana == d.kana));
                Self { receipts: earlier.receipts.clone(), details, ..self }
            }
            _ => self,
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
    /// The temporary password was voided, the person lost eligibility, is another one in the roster by now,
    /// or has an account.
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
    /// A fresh draft.
    pub fn draft(&self, person: &Person, applicant: Applicant) -> Draft {
        Draft {
            person_id: person.id.clone(),
            person_mark: self.mark_of(person),
            insurer: person.insurer.clone(),
            applicant,
            receipts: Vec::new(),
            details: None,
            sent: None,
        }
    }

    /// A keyed hash of what identifies the person to a registration. When a roster import changes any of
    /// it, whoever began the registration has not proved to be the person that the row stands for now.
    pub fn mark_of(&self, person: &Person) -> String {
        let Person { category, symbol, number, .. } = person;
        let (kana, born) = (person.kana.folded(), person.birth_date.iso());
        let identity = format!("{}|{symbol}|{number}|{kana}|{born}", category.as_str());
        self.master.mac_base64url("registration-person", identity.as_bytes())
    }

    /// How far the registration of a draft has come.
    pub async fn registration_progress(&self, draft: &Draft) -> Result<Progress, Fault> {
        let Some(id) = draft.sent.as_deref() else { return Ok(Progress::Waiting) };
        let member = member::of_person(&self.db, &draft.person_id).await?;
        let person = roster::find(&self.db, &draft.person_id).await?;
        let active = member.zip(person).filter(|(member, person)| {
            // A sign-out from everywhere or a loss after the activation ends this way in, too.
            member.state == MemberState::Active
                && member.activated_by.as_deref() == Some(id)
                && member.activated_at.is_some_and(|at| at >= self.valid_from(member, person))
        });
        if let Some((member, _)) = active {
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
        let proved = match &draft.applicant {
            Applicant::Insured => person.temporary_password_open(now, &insurer.policy),
            Applicant::SelfRegistered(_) => true,
        };
        let same = draft.person_mark == self.mark_of(&person);
        if !free || !same || !proved || !self.may_register(&person) {
            return Ok(Standing::Ended);
        }
        let age = insurer.policy.minimum_age;
        if person.birth_date.age_on(today(&self.clock)) < age {
            return Ok(Standing::TooYoung(age));
        }
        Ok(Standing::Open(Box::new(person)))
    }
}
