//! Step 6: the mailed link and the password chosen in step 4 make the member active.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{notice::NoticeOf, send::mail_to};
use crate::{
    audit::{self, Event},
    crypto::digest,
    fault::Fault,
    mail::message::MailKind,
    members::{
        Members, password_policy,
        roster::{Category, Person},
    },
    storage::{
        activation_code, document,
        member::{self, Activation, Member},
        preference::{self, Preference},
        registration::{self, Registration},
        roster,
    },
};

/// Wrong passwords after which the registration is destroyed.
const MOST_MISSES: i64 = 5;

/// Length of a token; nothing else is looked up.
const TOKEN_LENGTH: usize = 43;

/// A link that is alive. Reading it changes nothing: mail scanners open links too.
pub struct Link {
    /// What it would complete.
    pub registration: Registration,
}

/// What came of the password at a link.
pub enum Completion {
    /// The member is active.
    Done {
        /// The member.
        member: Box<Member>,
        /// What was completed.
        registration: Box<Registration>,
    },
    /// Wrong; this many tries are left.
    Wrong(i64),
    /// Wrong once too often: the registration is destroyed.
    Destroyed,
    /// The link is unknown, used, replaced or too old.
    Void,
    /// The address came to belong to another account in the meantime.
    AddressTaken,
    /// A roster import has ended the eligibility or made the row another person's; nothing was written.
    Lapsed,
}

impl Members {
    /// The link of a token.
    pub async fn link(&self, token: &str) -> Result<Option<Link>, Fault> {
        if token.len() != TOKEN_LENGTH {
            return Ok(None);
        }
        let hash = digest::sha256_base64url(token);
        let registration = registration::by_token(&self.db, &hash, self.clock.now()).await?;
        Ok(registration.map(|registration| Link { registration }))
    }

    /// Completes a registration with the password chosen in it.
    pub async fn complete_registration(
        &self,
        token: &str,
        password: SecretString,
    ) -> Result<Completion, Fault> {
        let Some(Link { registration }) = self.link(token).await? else { return Ok(Completion::Void) };
        let now = self.clock.now();
        let hash = registration.token_hash.as_str();
        let admitted = self.passwords.admit()?;
        let attempt = registration::begin_attempt(&self.db, &registration.id, hash, MOST_MISSES, now).await?;
        let Some(attempt) = attempt else { return Ok(Completion::Void) };
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        if !admitted.verify(normal, Some(registration.password_hash.clone())).await? {
            if attempt < MOST_MISSES {
                return Ok(Completion::Wrong(MOST_MISSES - attempt));
            }
            registration::erase(&self.db, &registration.id).await?;
            return Ok(Completion::Destroyed);
        }
        self.activate(registration).await
    }

    /// Everything that makes a member active, in one transaction.
    async fn activate(&self, registration: Registration) -> Result<Completion, Fault> {
        let now = self.clock.now();
        let insurer =
            self.insurer(&registration.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let mut tx = self.db.begin().await?;
        if !registration::consume(&mut tx, &registration.id, &registration.token_hash, now).await? {
            return Ok(Completion::Void);
        }
        let fresh_id = self.entropy.id();
        let activation = Activation { fresh_id: &fresh_id, registration: &registration, now };
        match member::activate(&mut tx, activation).await {
            Ok(true) => {}
            Ok(false) => return Ok(Completion::Void),
            Err(error) if error.is_conflict() => {
                drop(tx);
                registration::erase(&self.db, &registration.id).await?;
                return Ok(Completion::AddressTaken);
            }
            Err(error) => return Err(error.into()),
        }
        let member = member::of_person(&mut tx, &registration.person_id)
            .await?
            .ok_or_else(|| Fault::internal("the member that was just written is not there"))?;
        // This write holds the row: an import that comes now waits, one that came before is seen here.
        roster::end_temporary_password(&mut tx, &registration.person_id, now).await?;
        let person = roster::find(&mut tx, &registration.person_id).await?;
        let stands = |p: &Person| self.may_register(p) && self.mark_of(p) == registration.person_mark;
        let Some(person) = person.filter(stands) else {
            drop(tx);
            return self.lapse(&registration).await;
        };
        for receipt in &registration.receipts {
            document::keep_receipt(&mut tx, &self.entropy.id(), &member.id, receipt).await?;
        }
        for (topic, choice) in &registration.preferences {
            let preference =
                Preference { topic: topic.clone(), wanted: choice.wanted, wording: choice.wording.clone() };
            preference::set(&mut tx, &member.id, &preference, now).await?;
        }
        activation_code::erase(&mut tx, &registration.person_id).await?;
        let completed = MailKind::RegistrationCompleted { by_address: person.category != Category::Insured };
        let mail = mail_to(insurer, &registration.email, registration.locale, completed);
        self.outbox.enqueue(&mut tx, &mail).await?;
        self.notify(&mut tx, &person, NoticeOf::End).await?;
        let event = Event::member("member.activated", &member).with_client(registration.client_id.as_deref());
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Completion::Done { member: Box::new(member), registration: Box::new(registration) })
    }

    /// Erases a registration whose person the roster has changed, and says so once.
    async fn lapse(&self, registration: &Registration) -> Result<Completion, Fault> {
        let mut tx = self.db.begin().await?;
        registration::erase(&mut tx, &registration.id).await?;
        let event = Event { insurer: Some(&registration.insurer), ..Event::system("registration.lapsed") }
            .with_client(registration.client_id.as_deref())
            .with_detail(json!({ "registration": registration.id, "person": registration.person_id }));
        audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
        tx.commit().await?;
        Ok(Completion::Lapsed)
    }
}
