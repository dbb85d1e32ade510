//! 資格照会: how dependents and voluntarily insured persons begin, who have no login ID yet.
//!
//! Whoever asks learns one thing only: that everything typed is right. A mismatch, an account that exists,
//! an ended eligibility and an insured person (who has a login ID already) get the same answer after the
//! same work, under the same budgets as a password.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Applicant, Draft, FieldError};
use crate::{
    audit::{self, Event},
    config::{
        Insurer,
        insurer::{Policy, SelfRegistering},
    },
    fault::Fault,
    members::{
        BirthDate, KanaName, Members,
        birth_date::today,
        insurer_number,
        limits::Budget,
        login_id::{canonical, padded},
        roster::{Category, Person},
    },
    storage::{
        member::{self, MemberState},
        roster::{self, Sought},
    },
};

/// What the page sends.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InquiryForm {
    /// 保険者番号, where there are several insurers.
    pub insurer_number: String,
    /// 記号.
    pub symbol: String,
    /// 番号.
    pub number: String,
    /// 枝番; may be empty.
    pub branch: String,
    /// 氏名カナ.
    pub kana: String,
    /// 生年月日.
    pub birth_date: String,
}

impl fmt::Debug for InquiryForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InquiryForm")
    }
}

/// What was typed, as it was understood.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Portal code of the insurer.
    pub insurer: String,
    /// Symbol (記号), padded.
    pub symbol: String,
    /// Number (番号), padded.
    pub number: String,
    /// Branch (枝番), two digits.
    pub branch: Option<String>,
    /// Kana name.
    pub kana: KanaName,
    /// Day of birth.
    pub birth_date: BirthDate,
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inquiry")
    }
}

impl Inquiry {
    /// The form that would say the same; the page shows it again when somebody goes back.
    pub fn form(&self, insurer: Option<&Insurer>) -> InquiryForm {
        InquiryForm {
            insurer_number: insurer.map(|insurer| insurer.number.clone()).unwrap_or_default(),
            symbol: self.symbol.clone(),
            number: self.number.clone(),
            branch: self.branch.clone().unwrap_or_default(),
            kana: self.kana.as_str().to_owned(),
            birth_date: self.birth_date.iso(),
        }
    }

    /// A branch tells twins apart. Rosters without branches cannot say no to one.
    fn branch_fits(&self, person: &Person) -> bool {
        match (&self.branch, &person.branch) {
            (Some(typed), Some(branch)) => typed == branch,
            _ => true,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Inquired {
    /// Everything is right: a registration may begin.
    Open(Box<Draft>),
    /// It is not, whatever the reason.
    Refused,
    /// Too many wrong inquiries about this number.
    Paused,
    /// Too many guesses from this address or altogether.
    Limited,
}

impl Members {
    /// Reads the form. `only` is the insurer where there is no other, and its number is not asked for.
    /// The age is that of the date as typed, so to say that it is too low tells nothing about anyone.
    pub fn read_inquiry(
        &self,
        form: &InquiryForm,
        only: Option<&Insurer>,
    ) -> Result<Inquiry, Vec<FieldError>> {
        let mut errors = Errors::default();
        let insurer = match only {
            Some(insurer) => Some(insurer),
            None => self.insurer_of_number(&form.insurer_number, &mut errors),
        };
        let digits = |of: fn(&Insurer) -> usize, usual| insurer.map_or(usual, of);
        let symbol = errors.digits("symbol", &form.symbol, digits(|i| i.symbol_digits, 3));
        let number = errors.digits("number", &form.number, digits(|i| i.number_digits, 6));
        let branch = if canonical_start(&form.branch).is_empty() {
            Some(None)
        } else {
            errors.digits("branch", &form.branch, 2).map(Some)
        };
        let kana = KanaName::parse(&form.kana).map_err(|e| errors.add("kana", e.text_id())).ok();
        let birth_date =
            BirthDate::parse(&form.birth_date).map_err(|e| errors.add("birth_date", e.text_id())).ok();
        if let (Some(insurer), Some(born)) = (insurer, birth_date) {
            let age = insurer.policy.minimum_age;
            if born.age_on(today(&self.clock)) < age {
                errors.add_with("birth_date", "error-minimum-age", vec![("age", age.to_string())]);
            }
        }
        match (insurer, symbol, number, branch, kana, birth_date) {
            (Some(insurer), Some(symbol), Some(number), Some(branch), Some(kana), Some(birth_date))
                if errors.0.is_empty() =>
            {
                Ok(Inquiry { insurer: insurer.code.clone(), symbol, number, branch, kana, birth_date })
            }
            _ => Err(errors.0),
        }
    }

    fn insurer_of_number(&self, typed: &str, errors: &mut Errors) -> Option<&Insurer> {
        let number =
            insurer_number::parse(typed).map_err(|e| errors.add("insurer_number", e.text_id())).ok()?;
        let insurer = self.config.insurers.iter().find(|insurer| insurer.number == number);
        // Which insurers use the service is no secret.
        if insurer.is_none() {
            errors.add("insurer_number", "insurer-number-unknown");
        }
        insurer
    }

    /// Looks for the one person that the inquiry describes. The guesses are counted by symbol and number,
    /// so that nobody can try one birth date after the other on a family.
    pub async fn inquire(&self, inquiry: Inquiry, address: IpAddr) -> Result<Inquired, Fault> {
        if self.spend_guess(address).await? == Budget::Spent {
            return Ok(Inquired::Limited);
        }
        let insurer = self.insurer(&inquiry.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        if self.insurer_budget(&insurer.code).await? == Budget::Spent {
            return Ok(Inquired::Limited);
        }
        // What may fail comes before the guess is counted: an outage costs nobody a guess.
        let stopped = self.spray_alarm(&inquiry.insurer).await?;
        let person = self.free_person(&inquiry).await?.filter(|_| !stopped);
        let person = person.filter(|person| may_register(&insurer.policy, person.category));
        let key = format!("{}-{}-{}", inquiry.insurer, inquiry.symbol, inquiry.number);
        let key = self.master.mac_base64url("inquiry", key.as_bytes());
        if !self.begin_guess(&key, &insurer.policy).await? {
            return Ok(Inquired::Paused);
        }
        let (action, detail) = match &person {
            Some(person) => ("registration.eligibility_confirmed", json!({ "person": person.id })),
            None => ("registration.eligibility_refused", json!({})),
        };
        let event = Event { insurer: Some(&inquiry.insurer), ..Event::system(action) };
        audit::record(&self.db, &self.entropy, self.clock.now(), event.with_detail(detail)).await?;
        let Some(person) = person else {
            self.note_failure(&inquiry.insurer, &key, &inquiry.birth_date.compact()).await?;
            return Ok(Inquired::Refused);
        };
        self.forget_guesses(&key).await?;
        self.notify_start(&person).await?;
        let draft = self.draft(&person, Applicant::SelfRegistered(inquiry));
        Ok(Inquired::Open(Box::new(draft)))
    }

    /// The one eligible person without an account. Whether there is one or not, two statements run.
    async fn free_person(&self, inquiry: &Inquiry) -> Result<Option<Person>, Fault> {
        let sought = Sought {
            insurer: &inquiry.insurer,
            symbol: &inquiry.symbol,
            number: &inquiry.number,
            kana_folded: inquiry.kana.folded(),
            birth_date: &inquiry.birth_date.iso(),
        };
        let found = roster::find_self_registering(&self.db, &sought).await?;
        let mut fitting =
            found.into_iter().filter(|person| self.may_register(person) && inquiry.branch_fits(person));
        let person = match (fitting.next(), fitting.next()) {
            (Some(person), None) => Some(person),
            _ => None,
        };
        let person_id = person.as_ref().map_or("", |person| person.id.as_str());
        let member = member::of_person(&self.db, person_id).await?;
        let free = member.is_none_or(|member| member.state == MemberState::Reset);
        Ok(person.filter(|_| free))
    }
}

/// Whether the insurer lets the category register by itself.
fn may_register(policy: &Policy, category: Category) -> bool {
    let needed = match category {
        Category::Insured => return false,
        Category::Dependent => SelfRegistering::Dependent,
        Category::Voluntary => SelfRegistering::Voluntary,
    };
    policy.self_registration.contains(&needed)
}

/// Errors of the fields, in the order of the page.
#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: &'static str, text: &'static str) {
        self.add_with(field, text, Vec::new());
    }

    fn add_with(&mut self, field: &'static str, text: &'static str, args: Vec<(&'static str, String)>) {
        self.0.push(FieldError { field, text, args });
    }

    fn digits(&mut self, field: &'static str, typed: &str, digits: usize) -> Option<String> {
        let text = match field {
            "symbol" => "eligibility-error-symbol",
            "number" => "eligibility-error-number",
            _ => "eligibility-error-branch",
        };
        let padded = padded(typed, digits);
        if padded.is_none() {
            self.add_with(field, text, vec![("digits", digits.to_string())]);
        }
        padded
    }
}

/// What is there once nothing invisible is; a long text is looked at no further than its beginning.
fn canonical_start(text: &str) -> String {
    canonical(&text.chars().take(256).collect::<String>())
}
