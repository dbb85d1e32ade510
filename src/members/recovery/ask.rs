//! 「ログインIDをお忘れの方」 and 「パスワードをお忘れの方」: what happens behind a page that always says the same.

use std::{net::IpAddr, time::Duration};

use serde_json::json;
use url::Url;

use super::{Account, Kind, mail_to};
use crate::{
    audit::{self, Event},
    config::Insurer,
    crypto::digest,
    fault::Fault,
    mail::message::RecoveryMail,
    members::{BirthDate, EmailAddress, Members, limits::Budget, login_id::Typed, roster::Category},
    storage::{
        member::{self, Member, MemberState},
        recovery::{self, NewLink},
        roster,
    },
    texts::Locale,
};

/// Birth dates that are looked at for one login ID or address within the pause of a login ID; the rest is wrong. Who
/// signed in from the same address before has as many of their own: strangers cannot use them up.
const MOST_TRIES: u64 = 5;
/// Mails of one kind that a member gets within a [`DAY`].
const MOST_MAILS: u64 = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// Whom the mail is written to that is never sent; as long as a usual address.
const NOBODY: &str = "nobody.at.all@mail.invalid";

/// Where a request comes from, so that its link can lead back there.
pub struct Asking<'a> {
    /// Client address.
    pub address: IpAddr,
    /// SHA-256 of the browser binding.
    pub browser: &'a str,
    /// The interaction that the person was in.
    pub interaction: Option<&'a str>,
    /// The insurer that the person is at, or chose.
    pub insurer: Option<&'a Insurer>,
    /// Language of the page, and so of the mail.
    pub locale: Locale,
}

/// What was typed, as far as it is counted.
struct Claim<'a> {
    kind: Kind,
    /// Keyed hash of the login ID or address.
    key: String,
    /// Keyed hash of the login ID as guesses at its password are counted.
    id_key: String,
    insurer: Option<&'a Insurer>,
    born: BirthDate,
}

impl Members {
    /// Mails a link to a new password, if login ID and birth date are a member's. The caller learns only
    /// whether the budget of its own address is spent.
    pub async fn ask_password_link(
        &self,
        typed: &Typed,
        born: BirthDate,
        asking: &Asking<'_>,
    ) -> Result<Budget, Fault> {
        let insurer = self.insurer_of(typed).or(asking.insurer);
        if self.recovery_budget(insurer, asking).await? == Budget::Spent {
            return Ok(Budget::Spent);
        }
        let account = match typed {
            Typed::Number(id) => {
                let person = roster::find_insured(&self.db, id.insurer(), id.symbol(), id.number()).await?;
                let person_id = person.as_ref().map_or("", |person| person.id.as_str());
                member::of_person(&self.db, person_id).await?.zip(person)
            }
            Typed::Email(email) => self.account_of_address(email, born, asking.insurer, true).await?,
        };
        let claim = self.claim(Kind::Password, typed, insurer, born);
        self.answer(&claim, account, asking).await
    }

    /// Mails the login ID, or the link that shows it, if address and birth date are a member's. The caller
    /// learns only whether the budget of its own address is spent.
    pub async fn ask_login_id(
        &self,
        email: &EmailAddress,
        born: BirthDate,
        asking: &Asking<'_>,
    ) -> Result<Budget, Fault> {
        let insurer = asking.insurer;
        if self.recovery_budget(insurer, asking).await? == Budget::Spent {
            return Ok(Budget::Spent);
        }
        let account = self.account_of_address(email, born, asking.insurer, false).await?;
        let claim = self.claim(Kind::LoginId, &Typed::Email(email.clone()), insurer, born);
        self.answer(&claim, account, asking).await
    }

    /// Whether one more birth date may be tried: neither from this address nor at this insurer too many were.
    async fn recovery_budget(&self, insurer: Option<&Insurer>, asking: &Asking<'_>) -> Result<Budget, Fault> {
        if self.spend_guess(asking.address).await? == Budget::Spent {
            return Ok(Budget::Spent);
        }
        self.insurer_budget(insurer.map_or("", |insurer| insurer.code.as_str())).await
    }

    async fn account_of_address(
        &self,
        email: &EmailAddress,
        born: BirthDate,
        insurer: Option<&Insurer>,
        by_email_only: bool,
    ) -> Result<Option<Account>, Fault> {
        let id = {
            let code = insurer.map_or("", |insurer| insurer.code.as_str());
            recovery::member_of(&self.db, &email.key(), &born.iso(), code, by_email_only).await?
        };
        let member = member::find(&self.db, id.as_deref().unwrap_or_default()).await?;
        let person_id = member.as_ref().map_or("", |member| member.person_id.as_str());
        let person = roster::find(&self.db, person_id).await?;
        Ok(member.zip(person))
    }

    fn claim<'a>(
        &self,
        kind: Kind,
        typed: &Typed,
        insurer: Option<&'a Insurer>,
        born: BirthDate,
    ) -> Claim<'a> {
        Claim { kind, key: self.claim_key(typed), id_key: self.guess_key(typed), insurer, born }
    }

    /// The case of an address makes no other key.
    fn claim_key(&self, typed: &Typed) -> String {
        self.master.mac_base64url("recovery", key_text(typed).as_bytes())
    }

    /// Forgets wrong passwords and birth dates of a login ID: it pauses no longer.
    pub(in crate::members) async fn forget_failures(&self, typed: &Typed) -> Result<(), Fault> {
        for kind in [Kind::LoginId, Kind::Password] {
            let tries = format!("recovery:tries:{}:{}", kind.as_str(), self.claim_key(typed));
            self.ephemeral.forget(&tries).await?;
        }
        self.forget_guesses(&self.master.mac_base64url("login-id", key_text(typed).as_bytes())).await
    }

    async fn answer(
        &self,
        claim: &Claim<'_>,
        account: Option<Account>,
        asking: &Asking<'_>,
    ) -> Result<Budget, Fault> {
        let kind = claim.kind.as_str();
        let known = account.as_ref().map(|(member, _)| member.clone());
        let familiar = self.familiar(&claim.id_key, asking.address).await?;
        let whose = familiar.as_deref().unwrap_or(&claim.key);
        let window = Duration::from_secs(60 * u64::from(self.policy_for(claim.insurer).login_pause_minutes));
        let tries = self.ephemeral.count(&format!("recovery:tries:{kind}:{whose}"), window).await?;
        let right = account.filter(|account| tries <= MOST_TRIES && self.is_right(claim, account));
        let code = claim.insurer.map_or("", |insurer| insurer.code.as_str());
        match &right {
            Some(_) => self.note_hit(&claim.key, &claim.born.compact()).await?,
            None => self.note_failure(code, &claim.key, &claim.born.compact()).await?,
        }
        let whose = right.as_ref().map_or(claim.key.as_str(), |(member, _)| member.id.as_str());
        let mails = self.ephemeral.count(&format!("recovery:mails:{kind}:{whose}"), DAY).await?;
        let right = right.filter(|_| mails <= MOST_MAILS);
        self.write(claim, known.as_ref(), right.as_ref(), asking).await?;
        Ok(Budget::Open)
    }

    fn is_right(&self, claim: &Claim<'_>, (member, person): &Account) -> bool {
        let born = person.birth_date.compact();
        digest::equal(born.as_bytes(), claim.born.compact().as_bytes())
            && member.state == MemberState::Active
            && member.email.is_some()
            && self.is_eligible(person)
    }

    /// The link, its mail and the line of the audit, in one transaction; for nobody the same statements.
    async fn write(
        &self,
        claim: &Claim<'_>,
        known: Option<&Member>,
        right: Option<&Account>,
        asking: &Asking<'_>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let token = self.entropy.secret();
        let (life, page) = match claim.kind {
            Kind::LoginId => (self.config.lifetimes.login_id_link(), "login-id"),
            Kind::Password => (self.config.lifetimes.password_link(), "password"),
        };
        let deadline = now.plus(life);
        let link = self.config.server.url(&format!("/recovery/{page}/link/{token}"));
        let link = Url::parse(&link).map_err(Fault::internal)?;
        let mail = match (claim.kind, right.map(|(_, person)| person.category)) {
            (Kind::LoginId, Some(Category::Dependent | Category::Voluntary)) => {
                RecoveryMail::LoginIdIsAddress
            }
            (Kind::LoginId, _) => RecoveryMail::LoginId { link, deadline },
            (Kind::Password, _) => RecoveryMail::Password { link, deadline },
        };
        let insurer = right.and_then(|(member, _)| self.insurer(&member.insurer));
        let insurer = insurer
            .or(claim.insurer)
            .or_else(|| self.config.insurers.first())
            .ok_or_else(|| Fault::internal("no insurer is configured"))?;
        let to = right.and_then(|(member, _)| member.email.as_deref());
        let new = NewLink {
            id: &self.entropy.id(),
            kind: claim.kind,
            member_id: right.map_or("", |(member, _)| member.id.as_str()),
            token_hash: &digest::sha256_base64url(&token),
            browser: asking.browser,
            interaction: asking.interaction,
            locale: asking.locale,
            now,
            expires_at: deadline,
        };
        let mut tx = self.db.begin().await?;
        let stored = recovery::replace(&mut tx, &new).await?;
        let mail = mail_to(insurer, to.unwrap_or(NOBODY), asking.locale, mail);
        self.outbox.enqueue_or_pretend(&mut tx, &mail, !stored).await?;
        let event = Event {
            insurer: known.map(|member| member.insurer.as_str()).or(claim.insurer.map(|i| i.code.as_str())),
            member: known.map(|member| member.id.as_str()),
            ..Event::system(if stored { "recovery.mailed" } else { "recovery.refused" })
        };
        let event = event.with_detail(json!({ "kind": claim.kind.as_str() }));
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(())
    }
}

/// A login ID as it is counted.
fn key_text(typed: &Typed) -> String {
    match typed {
        Typed::Number(id) => id.to_string(),
        Typed::Email(email) => email.key(),
    }
}
