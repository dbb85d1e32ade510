//! The second step of signing in: a login ID that may not exist, and a password.
//!
//! Whatever the ID is, the same work is done: the same look-ups, one argon2id, the same counters and on
//! failure the same transaction, so neither the answer nor its time tells whether the ID exists.
//!
//! An e-mail address is unique within an insurer only, so it may be the login ID of several accounts. Where the
//! insurer is known, its account alone is looked at. Elsewhere the password picks one, and every attempt with an
//! address runs argon2id as often as there are insurers, at most [`MOST_ACCOUNTS`] times, whether none, one or all
//! of them know the address, and also after a hit. A password that opens several accounts opens none of them
//! until the insurer is chosen.

use std::net::IpAddr;

use super::{
    Members,
    limits::Budget,
    login_id::{Typed, fold_numeric},
    password_policy,
    roster::{Category, Person},
};
use crate::{
    config::{Insurer, insurer::Policy},
    crypto::{Admission, digest},
    fault::Fault,
    storage::{
        member::{self, Member, MemberState},
        roster,
        sign_in_failure::{self, Failure},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

/// Accounts of one address that are tried; the newest of those in the roster come first.
const MOST_ACCOUNTS: usize = 3;

/// What came of it.
#[derive(Debug)]
pub enum SignIn {
    /// The password is the member's.
    Welcome(Box<Member>),
    /// The temporary password is right: this person may activate, and nothing else.
    Activate(Box<Person>),
    /// The password is that of accounts of several insurers.
    SeveralInsurers,
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
    /// The member, if active.
    fn active(&self) -> Option<&Member> {
        self.member.as_ref().filter(|member| member.state == MemberState::Active)
    }

    /// Hash of the password that signs in.
    fn hash(&self) -> Option<String> {
        self.active()?.password_hash.clone()
    }
}

impl Members {
    /// Tries a password for a login ID. `within` is the insurer that somebody is at who signs in with an address;
    /// a number names its own. `activation_code` comes from those who have none yet and were handed
    /// one, and is empty from all others; see [`super::activation_code`].
    pub async fn sign_in(
        &self,
        typed: &Typed,
        within: Option<&Insurer>,
        password: SecretString,
        activation_code: &str,
        address: IpAddr,
    ) -> Result<SignIn, Fault> {
        let id_key = self.guess_key(typed);
        let familiar = self.familiar(&id_key, address).await?;
        if self.spend_sign_in(address, familiar.is_some()).await? == Budget::Spent {
            return Ok(SignIn::Limited);
        }
        let insurer = self.insurer_of(typed).or(within);
        let policy = self.policy_for(insurer);
        let code = insurer.map_or("", |insurer| insurer.code.as_str());
        // So many failed at this insurer that what still opens is a member's own password alone, of which each
        // ID allows few guesses: a flood must not keep the members out.
        let flooded = self.insurer_budget(code).await? == Budget::Spent;
        // What may fail comes before the guess is counted: an outage or a full queue costs nobody a guess.
        let accounts = self.accounts(typed, insurer).await?;
        let code_required = self.code_required(code, &policy).await?;
        let admitted = accounts.iter().map(|_| self.passwords.admit()).collect::<Result<Vec<_>, _>>()?;
        let Some(leave) = self.begin_sign_in(&id_key, familiar, &policy).await? else {
            return Ok(SignIn::Paused);
        };
        let (account, hits) = self.pick(accounts, admitted, &password).await?;
        let temporary = self.is_temporary(&account, &policy, &password);
        // A code is looked up, and tried, for somebody who knows the birth date; otherwise for nobody. Who was given
        // one needs it, whatever the insurer asks of others.
        let person = account.person.as_ref().filter(|_| temporary && !flooded);
        let tried = person.map_or("", |person| person.id.as_str());
        let opens = self.code_opens(tried, activation_code).await?.unwrap_or(!code_required);
        let outcome = match hits {
            0 if flooded => SignIn::Limited,
            0 | 1 => self.judge(&account, hits == 1, temporary && opens),
            _ => SignIn::SeveralInsurers,
        };
        if matches!(outcome, SignIn::Wrong | SignIn::Limited) {
            // As it was compared, or full-width digits would be a spray that nobody counts.
            self.note_failure(code, &id_key, &fold_numeric(password.expose_secret())).await?;
            self.write_failure(&account, &policy, address).await?;
            metrics::counter!("kenpos_sign_in_failures_total").increment(1);
        } else {
            self.end_sign_in(&id_key, leave).await?;
        }
        if let SignIn::Activate(person) = &outcome {
            self.notify_start(person).await?;
        }
        if let SignIn::Welcome(member) = &outcome {
            self.make_familiar(&id_key, address).await?;
            self.refresh_hash(member, &password).await;
        }
        Ok(outcome)
    }

    /// The rules for an ID: those of its insurer. An address names none, and must not tell whose it is.
    pub(super) fn policy_for(&self, insurer: Option<&Insurer>) -> Policy {
        let insurer = insurer.or_else(|| self.config.only_insurer());
        insurer.map_or_else(Policy::default, |insurer| insurer.policy.clone())
    }

    /// The accounts of an ID, filled up with nobody: how many there are depends on the kind of ID alone.
    async fn accounts(&self, typed: &Typed, insurer: Option<&Insurer>) -> Result<Vec<Account>, Fault> {
        let email = match typed {
            Typed::Number(id) => {
                let person = roster::find_insured(&self.db, id.insurer(), id.symbol(), id.number()).await?;
                let person_id = person.as_ref().map_or("", |person| person.id.as_str());
                let member = member::of_person(&self.db, person_id).await?;
                return Ok(vec![Account { person, member }]);
            }
            Typed::Email(email) => email,
        };
        let rounds = if insurer.is_some() { 1 } else { self.config.insurers.len().clamp(1, MOST_ACCOUNTS) };
        let most = i64::try_from(rounds).unwrap_or(1);
        let code = insurer.map_or("", |insurer| insurer.code.as_str());
        let found = member::of_login_email(&self.db, &email.key(), code, most).await?;
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

    /// The account whose password this is, an eligible one before others, or else the first of all; and how many
    /// there are to choose from: those eligible, or at most one other. Each costs one argon2id.
    async fn pick(
        &self,
        accounts: Vec<Account>,
        admitted: Vec<Admission>,
        password: &SecretString,
    ) -> Result<(Account, usize), Fault> {
        let mut hits = Vec::new();
        for (at, (account, admitted)) in accounts.iter().zip(admitted).enumerate() {
            if admitted.verify(normalised(password), account.hash()).await? {
                hits.push(at);
            }
        }
        let eligible = |at: &&usize| {
            let account = accounts.get(**at);
            account.and_then(|a| a.person.as_ref()).is_some_and(|person| self.is_eligible(person))
        };
        let hit = hits.iter().find(eligible).or(hits.first()).copied();
        let count = hits.iter().filter(eligible).count().max(hits.len().min(1));
        let account = accounts.into_iter().nth(hit.unwrap_or(0)).unwrap_or_default();
        Ok((account, count))
    }

    fn judge(&self, account: &Account, right: bool, temporary: bool) -> SignIn {
        let Some(person) = &account.person else { return SignIn::Wrong };
        match (account.active(), self.is_eligible(person)) {
            (Some(member), true) if right => SignIn::Welcome(Box::new(member.clone())),
            (Some(_), false) if right => SignIn::NotEligible,
            (None, true) if temporary => SignIn::Activate(Box::new(person.clone())),
            _ => SignIn::Wrong,
        }
    }

    /// Whether the password is the temporary one of an insured person who may still activate with it.
    fn is_temporary(&self, account: &Account, policy: &Policy, password: &SecretString) -> bool {
        let Account { person: Some(person), member } = account else { return false };
        let typed = fold_numeric(password.expose_secret());
        let guessed = digest::equal(typed.as_bytes(), person.birth_date.compact().as_bytes());
        guessed
            && person.category == Category::Insured
            && person.stopped_at.is_none()
            && member.as_ref().is_none_or(|member| member.state == MemberState::Reset)
            && person.temporary_password_open(self.clock.now(), policy)
    }

    /// After a change of the argon2 settings, stores the right password under the new ones. If that fails
    /// now, the next sign-in does it.
    async fn refresh_hash(&self, member: &Member, password: &SecretString) {
        let Some(old) = member.password_hash.as_deref().filter(|old| self.passwords.needs_rehash(old)) else {
            return;
        };
        let renewed: Result<bool, Fault> = async {
            let new = self.passwords.hash(normalised(password)).await?;
            Ok(member::rehash(&self.db, &member.id, old, &new).await?)
        }
        .await;
        if let Err(fault) = renewed {
            tracing::warn!(%fault, member = member.id, "a password hash was not renewed");
        }
    }

    /// Writes the failure down. The same two statements run whether or not there is an account.
    async fn write_failure(&self, account: &Account, policy: &Policy, address: IpAddr) -> Result<(), Fault> {
        let now = self.clock.now();
        let person = account.person.as_ref().filter(|_| account.active().is_none());
        let person_id = person.map_or("", |person| person.id.as_str());
        let mut tx = self.db.begin().await?;
        let failures = i64::from(policy.temporary_password_failures);
        roster::note_temporary_failure(&mut tx, person_id, failures, now).await?;
        let failure = Failure {
            id: &self.entropy.id(),
            insurer: account.person.as_ref().map_or("", |person| person.insurer.as_str()),
            member_id: account.member.as_ref().map_or("", |member| member.id.as_str()),
            address: &self.address_mark(address),
            now,
        };
        sign_in_failure::count(&mut tx, &failure).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn normalised(password: &SecretString) -> SecretString {
    password_policy::normalise(password.expose_secret()).into()
}
