//! The second step of signing in: a login ID that may not exist, and a password.
//!
//! Whatever the ID is, the same work is done: the same look-ups, one argon2id, the same counters and on
//! failure the same transaction, so neither the answer nor its time tells whether the ID exists.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    Members,
    limits::Budget,
    login_id::{self, Typed},
    password_policy,
    roster::{Category, Person},
};
use crate::{
    audit::{self, Event},
    config::insurer::Policy,
    crypto::digest,
    fault::Fault,
    storage::{
        member::{self, Member, MemberState},
        roster,
    },
};

/// What came of it.
#[derive(Debug)]
pub enum SignIn {
    /// The password is the member's.
    Welcome(Box<Member>),
    /// The temporary password is right: this person may activate, and nothing else.
    Activate(Box<Person>),
    /// The password is right, the eligibility has ended.
    NotEligible,
    /// Wrong, or the ID does not exist, or its temporary password is void.
    Wrong,
    /// Too many wrong passwords for this ID.
    Paused,
    /// Too many guesses from this address or altogether.
    Limited,
}

/// Who an ID stands for, as far as anyone.
struct Account {
    person: Option<Person>,
    member: Option<Member>,
}

impl Members {
    /// Tries a password for a login ID. `code` is the one-time activation code, empty from all who have
    /// none; see [`super::activation_code`].
    pub async fn sign_in(
        &self,
        typed: &Typed,
        password: SecretString,
        code: &str,
        address: IpAddr,
    ) -> Result<SignIn, Fault> {
        if self.spend_guess(address).await? == Budget::Spent {
            return Ok(SignIn::Limited);
        }
        let insurer = self.insurer_of(typed);
        let policy = insurer.map_or_else(Policy::default, |insurer| insurer.policy.clone());
        let id_key = self.master.mac_base64url("login-id", typed.to_string().as_bytes());
        if !self.begin_guess(&id_key, &policy).await? {
            return Ok(SignIn::Paused);
        }
        let account = self.account(typed).await?;
        let outcome = self.judge(&account, &policy, &password, code).await?;
        if matches!(outcome, SignIn::Wrong) {
            let code = insurer.map_or("", |insurer| insurer.code.as_str());
            // As the comparison reads it, or full-width digits would be a spray that nobody counts.
            let guess = login_id::fold_numeric(password.expose_secret());
            self.note_failure(code, &id_key, &guess).await?;
            self.write_failure(&account, &policy).await?;
        } else {
            self.forget_guesses(&id_key).await?;
        }
        Ok(outcome)
    }

    async fn account(&self, typed: &Typed) -> Result<Account, Fault> {
        let person = match typed {
            Typed::Number(id) => {
                roster::find_insured(&self.db, id.insurer(), id.symbol(), id.number()).await?
            }
            // An e-mail login belongs to a member, and so far every member is an `insured` one.
            Typed::Email(_) => None,
        };
        let person_id = person.as_ref().map_or("", |person| person.id.as_str());
        let member = member::of_person(&self.db, person_id).await?;
        Ok(Account { person, member })
    }

    async fn judge(
        &self,
        account: &Account,
        policy: &Policy,
        password: &SecretString,
        code: &str,
    ) -> Result<SignIn, Fault> {
        let now = self.clock.now();
        let active = account.member.as_ref().filter(|member| member.state == MemberState::Active);
        let hash = active.and_then(|member| member.password_hash.clone());
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        let right = self.passwords.verify(normal.clone(), hash.clone()).await?;
        let Some(person) = &account.person else { return Ok(SignIn::Wrong) };
        let eligible = self.is_eligible(person);
        if let Some(member) = active {
            return Ok(match (right, eligible) {
                (true, true) => {
                    self.refresh_hash(member, normal, hash).await?;
                    SignIn::Welcome(Box::new(member.clone()))
                }
                (true, false) => SignIn::NotEligible,
                (false, _) => SignIn::Wrong,
            });
        }
        let may_activate = account.member.as_ref().is_none_or(|member| member.state == MemberState::Reset)
            && person.category == Category::Insured
            && person.temporary_password_open(now, policy);
        let typed = login_id::fold_numeric(password.expose_secret());
        let temporary = person.birth_date.compact();
        let guessed = digest::equal(typed.as_bytes(), temporary.as_bytes());
        let may_activate = may_activate && guessed && eligible;
        // A code is tried, and counted, for somebody who knows the birth date; otherwise for nobody.
        let tried = if may_activate && !code.is_empty() { person.id.as_str() } else { "" };
        let code_right = self.code_opens(tried, code).await?;
        let code_required = self.code_required(&person.insurer, policy).await?;
        Ok(if may_activate && (code_right || !code_required) {
            SignIn::Activate(Box::new(person.clone()))
        } else {
            SignIn::Wrong
        })
    }

    /// After a change of the argon2 settings, stores the password under the new ones.
    async fn refresh_hash(
        &self,
        member: &Member,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<(), Fault> {
        if let Some(old) = hash
            && self.passwords.needs_rehash(&old)
        {
            let new = self.passwords.hash(password).await?;
            member::rehash(&self.db, &member.id, &old, &new).await?;
        }
        Ok(())
    }

    /// Writes the failure down. The same two statements run whether or not there is an account.
    async fn write_failure(&self, account: &Account, policy: &Policy) -> Result<(), Fault> {
        let now = self.clock.now();
        let active = account.member.as_ref().is_some_and(|member| member.state == MemberState::Active);
        let person = account.person.as_ref().filter(|_| !active);
        let person_id = person.map_or("", |person| person.id.as_str());
        let mut tx = self.db.begin().await?;
        let failures = i64::from(policy.temporary_password_failures);
        roster::note_temporary_failure(&mut tx, person_id, failures, now).await?;
        let event = Event {
            insurer: account.person.as_ref().map(|person| person.insurer.as_str()),
            member: account.member.as_ref().map(|member| member.id.as_str()),
            ..Event::system("member.sign_in_failed")
        };
        audit::record(&mut tx, &self.entropy, now, event.with_detail(json!({}))).await?;
        tx.commit().await?;
        Ok(())
    }
}
