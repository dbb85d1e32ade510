//! What the office sees of a person: one picture for console, API and command line.

use super::{
    Members, account::ListedSession, login_id::Typed, operator::Subject, roster::Category,
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
    },
};

/// Whether there is an account, and whether it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Whether the office learnt that mails to it do not arrive.
    pub email_bounces: bool,
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
        let email_bounces = self.email_bounces(email).await?;
        let mut overview = Overview {
            email_bounces,
            login_id,
            standing,
            paused_until,
            eligible: self.is_eligible(&subject.person),
            temporary: self.temporary(&subject, standing).await?,
            email: masked_email(email),
            new_email: None,
            deletion_requested_at: None,
            receipts: Vec::new(),
            apps: Vec::new(),
            sessions: Vec::new(),
            subject,
        };
        if let Subject { person, member: Some(member) } = &overview.subject {
            overview.new_email = self.pending_email_change(member, person).await?;
            overview.deletion_requested_at = deletion_request::of_member(&self.db, &member.id).await?;
            overview.receipts = document::receipts(&self.db, &member.id).await?;
            overview.apps = consent::of_member(&self.db, &member.id).await?;
            overview.sessions = self.sessions_of(member, person).await?;
        }
        Ok(overview)
    }

    async fn temporary(&self, subject: &Subject, standing: Standing) -> Result<Temporary, Fault> {
        let Some(insurer) = self.insurer(&subject.person.insurer) else { return Ok(Temporary::None) };
        let open = subject.person.temporary_password_open(self.clock.now(), &insurer.policy);
        Ok(match (subject.person.category, standing.may_register()) {
            (Category::Dependent | Category::Voluntary, _) => Temporary::None,
            (Category::Insured, false) => Temporary::Replaced,
            (Category::Insured, true) if !open => Temporary::Void,
            (Category::Insured, true) => match self.code_works(&subject.person.id).await? {
                Some(false) => Temporary::Void,
                Some(true) => Temporary::WithCode,
                None if insurer.policy.activation == Activation::BirthdateAndCode => Temporary::WithCode,
                None => Temporary::Open,
            },
        })
    }
}
