//! Step 4, 基本設定: the name is matched with the roster, the temporary password is replaced.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Draft;
use crate::{
    audit::{self, Event},
    config::insurer::Policy,
    fault::Fault,
    members::{
        Members,
        email_address::EmailAddress,
        kana::KanaName,
        login_id::LoginId,
        password_policy::{self, PasswordRefusal, PersonalWords},
        roster::Person,
    },
    storage::{registration::Choice, roster},
};

/// What was accepted; the password only as its hash.
#[derive(Clone, Serialize, Deserialize)]
pub struct Details {
    /// Identifier of the registration that they become, so that it becomes one however often it is sent.
    pub registration: String,
    /// Kana name as typed, matched with the roster.
    pub kana: String,
    /// E-mail address.
    pub email: String,
    /// PHC string.
    pub password_hash: String,
    /// 配信設定.
    pub preferences: BTreeMap<String, Choice>,
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Details")
    }
}

/// What the page sends.
pub struct DetailsForm {
    /// 氏名(カタカナ).
    pub kana: String,
    /// The new password.
    pub password: SecretString,
    /// E-mail address.
    pub email: String,
    /// Topics that were ticked.
    pub topics: Vec<String>,
}

/// A kind of news that the page offers.
pub struct Topic {
    /// Its name in the form.
    pub id: &'static str,
    /// Its wording, in the language of the page; stored as proof.
    pub wording: String,
}

/// A field and what is wrong with it, as the name of a text and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field.
    pub field: &'static str,
    /// Name of the text.
    pub text: &'static str,
    /// Arguments of the text.
    pub args: Vec<(&'static str, String)>,
}

/// Why the details are refused.
#[derive(Debug, PartialEq, Eq)]
pub enum DetailsRefusal {
    /// Fields to mend.
    Fields(Vec<FieldError>),
    /// The name was wrong too often: the temporary password is void now.
    Void,
}

impl Members {
    /// Checks the form against the roster and the policy. A wrong name is counted, and only when the
    /// form is complete otherwise, so that nobody is counted out for a forgotten field.
    pub async fn check_details(
        &self,
        draft: &Draft,
        person: &Person,
        form: DetailsForm,
        topics: &[Topic],
    ) -> Result<Result<Details, DetailsRefusal>, Fault> {
        let Some(insurer) = self.insurer(&draft.insurer) else {
            return Err(Fault::internal(format!("insurer {} is not configured", draft.insurer)));
        };
        let policy = &insurer.policy;
        let mut errors = Vec::new();
        let kana = match draft.inquiry() {
            Some(inquiry) => Some(inquiry.kana.clone()),
            None => read_kana(policy, &form.kana, &mut errors),
        };
        let email = EmailAddress::parse(&form.email)
            .map_err(|error| errors.push(refusal("email", error.text_id(), Vec::new())))
            .ok();
        let login_id = LoginId::from_parts(insurer, &person.symbol, &person.number).ok();
        if form.password.expose_secret().is_empty() {
            errors.push(refusal("password", "details-error-password-empty", Vec::new()));
        } else if let Some(error) =
            weakness(form.password.clone(), policy, person, login_id, email.clone()).await?
        {
            errors.push(refusal("password", error.text_id(), error.args()));
        }
        let (Some(email), true) = (email, errors.is_empty()) else {
            return Ok(Err(DetailsRefusal::Fields(errors)));
        };
        // What was typed at 資格照会 was compared there.
        let typed = kana.as_ref().filter(|_| draft.inquiry().is_none());
        if let Some(typed) = typed
            && let Some(refusal) = self.try_kana(person, typed, policy).await?
        {
            return Ok(Err(refusal));
        }
        let normal = SecretString::from(password_policy::normalise(form.password.expose_secret()));
        let password_hash = self.passwords.hash(normal).await?;
        let preferences = topics
            .iter()
            .map(|topic| {
                let wanted = form.topics.iter().any(|chosen| chosen == topic.id);
                (topic.id.to_owned(), Choice { wanted, wording: topic.wording.clone() })
            })
            .collect();
        Ok(Ok(Details {
            registration: self.entropy.id(),
            kana: kana.unwrap_or_else(|| person.kana.clone()).as_str().to_owned(),
            email: email.as_str().to_owned(),
            password_hash,
            preferences,
        }))
    }

    /// Compares the name with the roster's. The try is counted before that, so that parallel ones cannot
    /// outrun the limit, and a right one is given back.
    async fn try_kana(
        &self,
        person: &Person,
        typed: &KanaName,
        policy: &Policy,
    ) -> Result<Option<DetailsRefusal>, Fault> {
        let now = self.clock.now();
        let most = i64::from(policy.kana_name_misses);
        let attempt = roster::begin_kana_attempt(&self.db, &person.id, most).await?;
        let Some(attempt) = attempt else { return Ok(Some(DetailsRefusal::Void)) };
        if typed.folded() == person.kana.folded() {
            roster::forgive_kana_attempt(&self.db, &person.id).await?;
            return Ok(None);
        }
        let void = attempt >= most;
        let mut tx = self.db.begin().await?;
        if void {
            roster::end_temporary_password(&mut tx, &person.id, now).await?;
        }
        let event = Event { insurer: Some(&person.insurer), ..Event::system("registration.name_mismatch") }
            .with_detail(json!({ "person": person.id, "void": void }));
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        Ok(Some(if void {
            DetailsRefusal::Void
        } else {
            DetailsRefusal::Fields(vec![refusal("kana", "details-error-kana-mismatch", Vec::new())])
        }))
    }
}

/// What the policy has against a password. Estimating its strength takes long enough to keep it off the
/// async threads.
pub(in crate::members) async fn weakness(
    password: SecretString,
    policy: &Policy,
    person: &Person,
    login_id: Option<LoginId>,
    email: Option<EmailAddress>,
) -> Result<Option<PasswordRefusal>, Fault> {
    let (policy, kana, birth_date) = (policy.clone(), person.kana.clone(), person.birth_date);
    let check = move || {
        let words = PersonalWords {
            birth_date: Some(birth_date),
            login_id: login_id.as_ref(),
            kana: Some(&kana),
            email: email.as_ref(),
        };
        password_policy::check(password.expose_secret(), &policy, &words).err()
    };
    tokio::task::spawn_blocking(check).await.map_err(Fault::internal)
}

fn read_kana(policy: &Policy, typed: &str, errors: &mut Vec<FieldError>) -> Option<KanaName> {
    if !policy.ask_kana_name {
        return None;
    }
    KanaName::parse(typed).map_err(|error| errors.push(refusal("kana", error.text_id(), Vec::new()))).ok()
}

const fn refusal(field: &'static str, text: &'static str, args: Vec<(&'static str, String)>) -> FieldError {
    FieldError { field, text, args }
}
