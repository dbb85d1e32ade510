//! What the office sees of a person: one picture for console, API and command line.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Members,
    account::ListedSession,
    birth_date::today,
    device::{Browser, System},
    login_id::Typed,
    operator::Subject,
    roster::Category,
    search::masked_email,
};
use crate::{
    clock::Timestamp,
    config::insurer::Activation,
    fault::Fault,
    storage::{
        consent::{self, Consent},
        deletion_request,
        document::{self, Receipt},
        member::MemberState,
        member_search::Found,
    },
};

/// Whether there is an account, and whether it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The person has not registered yet.
    Unregistered,
    /// The account can be used.
    Active,
    /// It was reset: the registration starts anew.
    Reset,
    /// It was stopped.
    Frozen,
    /// It was deleted.
    Closed,
}

impl Standing {
    /// That of an account, or of none.
    pub fn of(state: Option<MemberState>) -> Self {
        match state {
            None => Self::Unregistered,
            Some(MemberState::Active) => Self::Active,
            Some(MemberState::Reset) => Self::Reset,
            Some(MemberState::Frozen) => Self::Frozen,
            Some(MemberState::Closed) => Self::Closed,
        }
    }

    /// As in names of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unregistered => "unregistered",
            Self::Active => "active",
            Self::Reset => "reset",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    /// Whether a registration may begin.
    pub const fn may_register(self) -> bool {
        matches!(self, Self::Unregistered | Self::Reset)
    }
}

/// What becomes of the birth date as the temporary password of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporary {
    /// There is none: the person registers with an address.
    None,
    /// It opens the registration.
    Open,
    /// It opens the registration together with a code from the office.
    WithCode,
    /// It was replaced by the member's own.
    Replaced,
    /// It opens nothing any more, until it is issued again.
    Void,
}

impl Temporary {
    /// As in names of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::WithCode => "with_code",
            Self::Replaced => "replaced",
            Self::Void => "void",
        }
    }
}

/// A person with the account and what hangs on it.
#[derive(Debug)]
pub struct Overview {
    /// Person and account.
    pub subject: Subject,
    /// What the person signs in with.
    pub login_id: Option<Typed>,
    /// Whether there is an account.
    pub standing: Standing,
    /// Whether the person may use the service today.
    pub eligible: bool,
    /// The birth date as a password.
    pub temporary: Temporary,
    /// Until when the login ID pauses.
    pub paused_until: Option<Timestamp>,
    /// The address of the account, or else of the roster, masked.
    pub email: Option<String>,
    /// A new address that waits for its link, masked, and until when.
    pub new_email: Option<(String, Timestamp)>,
    /// Since when the member waits for the deletion of the account.
    pub deletion_requested_at: Option<Timestamp>,
    /// Documents that were accepted, the oldest first.
    pub receipts: Vec<Receipt>,
    /// Apps with access, the newest first.
    pub apps: Vec<Consent>,
    /// Where the member is signed in, the latest used first.
    pub sessions: Vec<ListedSession>,
}

impl Members {
    /// Everything that the office sees of a person at a glance.
    pub async fn overview(&self, subject: Subject) -> Result<Overview, Fault> {
        let login_id = self.login_id_of_subject(&subject);
        let paused_until = match &login_id {
            Some(typed) => self.paused_until(typed).await?,
            None => None,
        };
        let standing = Standing::of(subject.member.as_ref().map(|member| member.state));
        let known = subject.person.email.as_ref().map(super::EmailAddress::as_str);
        let email = subject.member.as_ref().and_then(|member| member.email.as_deref()).or(known);
        let mut overview = Overview {
            login_id,
            standing,
            paused_until,
            eligible: self.is_eligible(&subject.person),
            temporary: self.temporary(&subject, standing),
            email: masked_email(email),
            new_email: None,
            deletion_requested_at: None,
            receipts: Vec::new(),
            apps: Vec::new(),
            sessions: Vec::new(),
            subject,
        };
        if let Some(member) = &overview.subject.member {
            overview.new_email = self.pending_email_change(member).await?;
            overview.deletion_requested_at = deletion_request::of_member(&self.db, &member.id).await?;
            overview.receipts = document::receipts(&self.db, &member.id).await?;
            overview.apps = consent::of_member(&self.db, &member.id).await?;
            overview.sessions = self.sessions_of(member).await?;
        }
        Ok(overview)
    }

    fn temporary(&self, subject: &Subject, standing: Standing) -> Temporary {
        let Some(insurer) = self.insurer(&subject.person.insurer) else { return Temporary::None };
        let open = subject.person.temporary_password_open(self.clock.now(), &insurer.policy);
        match (subject.person.category, standing.may_register()) {
            (Category::Dependent | Category::Voluntary, _) => Temporary::None,
            (Category::Insured, false) => Temporary::Replaced,
            (Category::Insured, true) if !open => Temporary::Void,
            (Category::Insured, true) if insurer.policy.activation == Activation::BirthdateAndCode => {
                Temporary::WithCode
            }
            (Category::Insured, true) => Temporary::Open,
        }
    }

    /// A person of a list, as JSON.
    pub fn found_json(&self, found: &Found) -> Value {
        let account = found.account.as_ref();
        let person = &found.person;
        json!({
            "person": person.id,
            "subject": account.map(|account| &account.id),
            "insurer": person.insurer,
            "category": person.category.as_str(),
            "symbol": person.symbol,
            "number": person.number,
            "branch": person.branch,
            "name": person.kana.as_str(),
            "state": Standing::of(account.map(|account| account.state)).as_str(),
            "eligible": self.is_eligible(person),
            "email": masked_email(account.and_then(|account| account.email.as_deref())),
        })
    }

    /// What the office sees of a person, as JSON; neither birth date nor the whole address.
    pub fn overview_json(&self, shown: &Overview) -> Value {
        let Subject { person, member } = &shown.subject;
        let at = |at: Option<Timestamp>| at.map(utc);
        json!({
            "person": person.id,
            "subject": member.as_ref().map(|member| &member.id),
            "insurer": person.insurer,
            "login_id": shown.login_id.as_ref().map(ToString::to_string),
            "name": person.kana.as_str(),
            "category": person.category.as_str(),
            "symbol": person.symbol,
            "number": person.number,
            "branch": person.branch,
            "state": shown.standing.as_str(),
            "eligible": shown.eligible,
            "valid_from": person.valid_from.map(|day| day.to_string()),
            "valid_until": person.valid_until.map(|day| day.to_string()),
            "last_day": person.last_day(0).map(|day| day.to_string()),
            "registration_stopped_at": at(person.stopped_at),
            "temporary_password": shown.temporary.as_str(),
            "paused_until": at(shown.paused_until),
            "email": shown.email,
            "email_verified_at": at(member.as_ref().and_then(|member| member.email_verified_at)),
            "new_email": shown.new_email.as_ref().map(|(email, _)| email),
            "activated_at": at(member.as_ref().and_then(|member| member.activated_at)),
            "deletion_requested_at": at(shown.deletion_requested_at),
            "documents": shown.receipts.iter().map(receipt).collect::<Vec<_>>(),
            "apps": shown.apps.iter().map(app).collect::<Vec<_>>(),
            "sessions": shown.sessions.iter().map(session).collect::<Vec<_>>(),
            "as_of": today(&self.clock).to_string(),
        })
    }
}

fn receipt(receipt: &Receipt) -> Value {
    json!({
        "kind": receipt.kind,
        "version": receipt.version,
        "language": receipt.locale,
        "accepted_at": utc(receipt.accepted_at),
    })
}

fn app(consent: &Consent) -> Value {
    json!({
        "client_id": consent.client_id,
        "scope": consent.scope,
        "claims": consent.claims,
        "since": utc(Timestamp::from_millis(consent.first_granted_at)),
    })
}

fn session(session: &ListedSession) -> Value {
    json!({
        "sid": session.sid,
        "browser": session.device.browser.map(Browser::name),
        "system": session.device.system.map(System::name),
        "signed_in_at": utc(session.auth_time),
        "seen_at": utc(session.seen_at),
    })
}

/// An instant in UTC, to the second.
pub fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.strftime("%FT%TZ").to_string())
}
