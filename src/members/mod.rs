//! The people: who they are, how they sign in, how they register. Rules of the domain, no HTTP.
//!
//! Values such as [`LoginId`], [`KanaName`], [`BirthDate`] and [`EmailAddress`] can be built only by
//! parsing, forgive what people and spreadsheets do to them, and hide themselves from logs.

pub mod account;
pub mod activation_code;
pub mod birth_date;
pub mod csv_cell;
pub mod device;
pub mod documents;
pub mod email_address;
mod familiar;
pub mod insurer_number;
pub mod kana;
pub mod limits;
pub mod login_id;
pub mod new_login_id;
pub mod operator;
pub mod overview;
pub mod password_policy;
pub mod recovery;
pub mod registration;
pub mod romaji;
pub mod roster;
pub mod roster_csv;
pub mod roster_row;
pub mod sample;
pub mod search;
pub mod session;
pub mod session_end;
pub mod sign_in;
pub mod spray;

pub use birth_date::BirthDate;
pub use email_address::EmailAddress;
pub use kana::KanaName;
pub use login_id::LoginId;

use std::{ops::Deref, sync::Arc};

use self::{birth_date::today, documents::Documents, login_id::Typed, roster::Person};
use crate::{
    clock::{Clock, Entropy},
    config::{Config, Insurer},
    crypto::{MasterKey, Passwords},
    egress::deliveries::Deliveries,
    ephemeral::Ephemeral,
    fault::Fault,
    mail::outbox::Outbox,
    storage::{Db, eligibility, roster_import::Ended, standing::Standings},
};

/// What the rules of members work with.
#[derive(Debug)]
pub struct Desk {
    /// The configuration.
    pub config: Arc<Config>,
    /// The clock.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// Durable records.
    pub db: Db,
    /// What sessions and tokens rest on, among them.
    pub standings: Standings,
    /// Records that expire.
    pub ephemeral: Ephemeral,
    /// The master key, for keyed hashes.
    pub master: MasterKey,
    /// Password hashing.
    pub passwords: Passwords,
    /// Mails.
    pub outbox: Outbox,
    /// Messages to relying parties.
    pub deliveries: Deliveries,
    /// Documents to accept.
    pub documents: Documents,
}

/// The rules of members, over one [`Desk`].
#[derive(Clone, Debug)]
pub struct Members(Arc<Desk>);

impl Deref for Members {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0
    }
}

impl Members {
    /// The rules over this desk.
    pub fn new(desk: Desk) -> Self {
        Self(Arc::new(desk))
    }

    /// The insurer of a portal code.
    pub fn insurer(&self, code: &str) -> Option<&Insurer> {
        self.config.insurers.iter().find(|insurer| insurer.code == code)
    }

    /// The insurer that a login ID names.
    pub fn insurer_of(&self, typed: &Typed) -> Option<&Insurer> {
        match typed {
            Typed::Number(id) => self.insurer(id.insurer()),
            Typed::Email(_) => None,
        }
    }

    /// The last day of a person who may use the service only because the insurer grants days of grace.
    pub fn grace_until(&self, person: &Person) -> Option<jiff::civil::Date> {
        let today = today(&self.clock);
        let grace_days = self.insurer(&person.insurer)?.policy.grace_days;
        let over = person.last_day(0).is_some_and(|last| last < today);
        person.last_day(grace_days).filter(|last| over && today <= *last)
    }

    /// Notices whose eligibility ended with the day, and has webhooks told of them; the number of members. What
    /// an import ends is noticed by the import.
    pub async fn note_losses(&self) -> Result<u64, Fault> {
        let mut noted = 0;
        for insurer in &self.config.insurers {
            let ended = Ended { today: today(&self.clock), grace_days: insurer.policy.grace_days };
            let mut tx = self.db.begin_long().await?;
            noted += eligibility::note_losses(&mut tx, &insurer.code, ended, self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(noted)
    }

    /// Whether a registration of a person may begin or end: eligible, and nobody said that it was not theirs.
    pub fn may_register(&self, person: &Person) -> bool {
        person.stopped_at.is_none() && self.is_eligible(person)
    }

    /// Whether a person may use the service today, in Japan, under the insurer's grace period.
    pub fn is_eligible(&self, person: &Person) -> bool {
        self.insurer(&person.insurer)
            .is_some_and(|insurer| person.eligible_on(today(&self.clock), insurer.policy.grace_days))
    }
}
