//! The page before every act: what will happen and to whom, why, and one button.

use axum::{http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{Refusal, guard::Operator, wrong};
use crate::{
    audit::Reason,
    pages::{parts::FormErrors, sample},
    texts::grouped,
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks whether to go on. Posts `reason` to `action`.
#[derive(Clone, Debug, Serialize)]
pub struct Confirm {
    /// What is about to be done.
    pub title: Message,
    /// What that means.
    pub text: Message,
    /// Whom or what it concerns: names of texts with values.
    pub facts: Vec<Fact>,
    /// Where the form goes.
    pub action: String,
    /// Where 「戻る」 leads.
    pub back: String,
    /// Whether it takes something away from somebody.
    pub grave: bool,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A name and a value.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// Name of the text that names it.
    pub name: &'static str,
    /// What it is.
    pub value: String,
}

impl Fact {
    /// A name and a value.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }

    /// A name and how many.
    pub fn count(name: &'static str, count: u64) -> Self {
        Self::new(name, grouped(count))
    }
}

/// What the page sends.
#[derive(Debug, Deserialize)]
pub struct ReasonForm {
    /// Why, as typed.
    #[serde(default)]
    pub reason: String,
}

impl ReasonForm {
    /// The reason, or what is wrong with it.
    pub fn read(&self) -> Result<Reason, Refusal> {
        Reason::parse(&self.reason).map_err(|error| wrong("reason", Message::new(error.text_id())))
    }
}

impl Confirm {
    /// Answers with the page, with what was typed and what is wrong with it.
    pub fn show(
        mut self,
        operator: &Operator,
        form: &ReasonForm,
        (status, errors): (StatusCode, FormErrors),
    ) -> Result<Response, PageError> {
        self.reason.clone_from(&form.reason);
        self.errors = errors;
        Ok(operator.show(&self).status(status).render()?)
    }
}

impl Page for Confirm {
    const TEMPLATE: &'static str = "admin/confirm.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            title: Message::new("operators-enable-title"),
            text: Message::new("operators-enable-text"),
            facts: vec![
                Fact::new("operators-name", "山田 太郎"),
                Fact::new("operators-email", "taro@sakura-kenpo.example"),
            ],
            action: "/admin/operators/q7Zk3vX0aJm2Yt8RbLwN1g/enable".to_owned(),
            back: "/admin/operators/q7Zk3vX0aJm2Yt8RbLwN1g".to_owned(),
            grave: false,
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let grave = Self {
            title: Message::new("operators-disable-title"),
            text: Message::new("operators-disable-text"),
            facts: vec![
                Fact::new("operators-name", sample::HOSTILE),
                Fact::new("operators-email", sample::LONG),
            ],
            grave: true,
            reason: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("reason", Message::new("console-error-reason-long")),
            ..plain.clone()
        };
        let refused =
            Self { errors: FormErrors::form(Message::new("operators-error-already")), ..plain.clone() };
        vec![plain, grave, refused]
    }
}
