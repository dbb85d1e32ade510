//! The second step of signing in: a login ID that may not exist, and a password.
//!
//! Whatever the ID is, the same work is done: the same look-ups, one argon2id, the same counters and on
//! failure the same transaction, so neither the answer nor its time tells whether the ID exists.
//!
//! An e-mail address is unique within an insurer only, so it may be the login ID of several accounts, and the
//! password picks one. Every attempt with an address runs argon2id as often as there are insurers, at most
//! [`MOST_ACCOUNTS`] times, whether none, one or all of them know the address, and also after a hit.

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

/// Accounts of one address that are tried; the newest of those in the roster come first.
const MOST_ACCOUNTS: usize = 3;

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
#[derive(Default)]
struct Account {
    person: Option<Person>,
    member: Option<Member>,
}

impl Account {
    /// The account, if it can sign in.
    fn active(&self) -> Option<&Member> {
        self.member.as_ref().filter(|member| member.state == MemberState::Active)
    }
}

impl Members {
    /// Tries a password for a login ID.
    pub async fn sign_in(
        &self,
        typed: &Typed,
        password: SecretString,
        address: IpAddr,
    ) -> Result<SignIn, Fault> {
        if self.spend_guess(address).await? == Budget::Spent {
            return Ok(SignIn::Limited);
        }
        let insurer = self.insurer_of(typed);
        let policy = self.policy_for(typed);
        let id_key = self.master.mac_base64url("login-id", typed.key().as_bytes());
        if !self.begin_guess(&id_key, &policy).await? {
            return Ok(SignIn::Paused);
        }
        let accounts = self.accounts(typed).await?;
        let (account, right) = self.pick(accounts, &password).await?;
        let outcome = self.judge(&account, right, &policy, &password).await?;
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

    /// The rules for an ID: those of its insurer. An address names none, and must not tell whose it is.
    fn policy_for(&self, typed: &Typed) -> Policy {
        let only = match self.config.insurers.as_slice() {
            [insurer] => Some(insurer),
            _ => None,
        };
        self.insurer_of(typed).or(only).map_or_else(Policy::default, |insurer| insurer.policy.clone())
    }

    /// The accounts of an ID, filled up with nobody: how many there are depends on the kind of ID alone.
    async fn accounts(&self, typed: &Typed) -> Result<Vec<Account>, Fault> {
        match typed {
            Typed::Number(id) => {
                let person = roster::find_insured(&self.db, id.insurer(), id.symbol(), id.number()).await?;
                let person_id = person.as_ref().map_or("", |person| person.id.as_str());
                let member = member::of_person(&self.db, person_id).await?;
                Ok(vec![Account { person, member }])
            }
            Typed::Email(email) => {
                let rounds = self.config.insurers.len().clamp(1, MOST_ACCOUNTS);
                let most = i64::try_from(rounds).unwrap_or(1);
                let found = member::of_login_email(&self.db, &email.key(), most).await?;
                let mut found = found.into_iter().filter(|member| member.state == MemberState::Active);
                let mut accounts = Vec::with_capacity(rounds);
                for _ in 0..rounds {
                    let member = found.next();
                    let person_id = member.as_ref().map_or("", |member| member.person_id.as_str());
                    let person = roster::find(&self.db, person_id).await?;
                    accounts.push(Account { person, member });
                }
                Ok(accounts)
            }
        }
    }

    /// The account whose password this is, one in good standing before others, or else the first of all.
    /// Each costs one argon2id.
    async fn pick(&self, accounts: Vec<Account>, password: &SecretString) -> Result<(Account, bool), Fault> {
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        let mut hits = Vec::with_capacity(accounts.len());
        for account in &accounts {
            let hash = account.active().and_then(|member| member.password_hash.clone());
            hits.push(self.passwords.verify(normal.clone(), hash).await?);
        }
        let stands = |at: &usize| {
            accounts.get(*at).and_then(|a| a.person.as_ref()).is_some_and(|person| self.is_eligible(person))
        };
        let right = || hits.iter().enumerate().filter(|(_, right)| **right).map(|(at, _)| at);
        let hit = right().find(stands).or_else(|| right().next());
        let account = accounts.into_iter().nth(hit.unwrap_or(0)).unwrap_or_default();
        Ok((account, hit.is_some()))
    }

    async fn judge(
        &self,
        account: &Account,
        right: bool,
        policy: &Policy,
        password: &SecretString,
    ) -> Result<SignIn, Fault> {
        let now = self.clock.now();
        let Some(person) = &account.person else { return Ok(SignIn::Wrong) };
        let eligible = self.is_eligible(person);
        if let Some(member) = account.active() {
            return Ok(match (right, eligible) {
                (true, true) => {
                    self.refresh_hash(member, password).await?;
                    SignIn::Welcome(Box::new(member.clone()))
                }
                (true, false) => SignIn::NotEligible,
                (false, _) => SignIn::Wrong,
            });
        }
        let may_activate = account.member.as_ref().is_none_or(|member| member.state == MemberState::Reset)
            && person.category == Category::Insured
            && person.temporary_password_open(now, policy)
            && !self.spray_alarm(&person.insurer).await?;
        let typed = login_id::fold_numeric(password.expose_secret());
        let temporary = person.birth_date.compact();
        let guessed = digest::equal(typed.as_bytes(), temporary.as_bytes());
        Ok(if may_activate && guessed && eligible {
            SignIn::Activate(Box::new(person.clone()))
        } else {
            SignIn::Wrong
        })
    }

    /// After a change of the argon2 settings, stores the password under the new ones.
    async fn refresh_hash(&self, member: &Member, password: &SecretString) -> Result<(), Fault> {
        if let Some(old) = &member.password_hash
            && self.passwords.needs_rehash(old)
        {
            let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
            let new = self.passwords.hash(normal).await?;
            member::rehash(&self.db, &member.id, old, &new).await?;
        }
        Ok(())
    }

    /// Writes the failure down. The same two statements run whether or not there is an account.
    async fn write_failure(&self, account: &Account, policy: &Policy) -> Result<(), Fault> {
        let now = self.clock.now();
        let person = account.person.as_ref().filter(|_| account.active().is_none());
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
