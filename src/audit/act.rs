//! Who acts, and why: what every act of an operator is handed, from whichever face it is called.

use std::fmt;

use serde_json::{Value, json};

use super::Event;

/// Characters of a reason at most.
pub const MAX_REASON: usize = 500;

/// Who does something, as it stands in the audit. Each face makes its own kind, so that none can pass for
/// another: a user of the machine who is called like an operator is still `cli:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// An operator who is signed in to the console.
    pub fn operator(id: &str) -> Self {
        Self(format!("operator:{id}"))
    }

    /// A client: of the operators' API, or one that acts on its own registration.
    pub fn client(id: &str) -> Self {
        Self(format!("client:{id}"))
    }

    /// A user of the command line.
    pub fn command_line(user: &str) -> Self {
        Self(format!("cli:{user}"))
    }

    /// The server itself.
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an act is done; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// Nothing was said.
    #[error("the reason is empty")]
    Empty,
    /// More than [`MAX_REASON`] characters.
    #[error("the reason has more than {MAX_REASON} characters")]
    TooLong,
}

impl ReasonError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "console-error-reason-empty",
            Self::TooLong => "console-error-reason-long",
        }
    }
}

impl Reason {
    /// What was typed, on one line. Its length is that of the text as it was sent, which is what forms and the
    /// description of the API tell.
    pub fn parse(text: &str) -> Result<Self, ReasonError> {
        if text.chars().count() > MAX_REASON {
            return Err(ReasonError::TooLong);
        }
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if line.is_empty() { Err(ReasonError::Empty) } else { Ok(Self(line)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An act about to be done: who does it and why.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Why.
    pub reason: &'a Reason,
}

impl Act<'_> {
    /// The line of the audit about it, with `detail` (an object or null) beside the reason.
    pub fn event(&self, action: &'static str, mut detail: Value) -> Event<'static> {
        if detail.is_null() {
            detail = json!({});
        }
        detail["reason"] = json!(self.reason.as_str());
        Event::by(self.actor, action).with_detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_says_something() {
        let parse = |text: &str| Reason::parse(text).map(|reason| reason.0);
        assert_eq!(parse(" 電話で\r\n本人確認 \u{0}済み ").as_deref(), Ok("電話で 本人確認 済み"));
        assert_eq!(parse(" \u{3000}\n"), Err(ReasonError::Empty));
        assert_eq!(parse(&"あ".repeat(MAX_REASON)).map(|text| text.chars().count()), Ok(MAX_REASON));
        assert_eq!(parse(&"あ".repeat(MAX_REASON + 1)), Err(ReasonError::TooLong));
    }

    #[test]
    fn an_act_is_written_with_its_reason() {
        let (actor, reason) = (Actor::command_line("jimu"), Reason::parse("why").unwrap());
        let act = Act { actor: &actor, reason: &reason };
        let event = act.event("member.reset", json!({ "person": "p" }));
        assert_eq!((event.actor.as_str(), event.action), ("cli:jimu", "member.reset"));
        assert_eq!(event.detail, json!({ "person": "p", "reason": "why" }));
        assert_eq!(act.event("x", Value::Null).detail, json!({ "reason": "why" }));
        assert_ne!(Actor::operator("jimu"), actor);
    }
}
