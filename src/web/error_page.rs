//! What a member sees when something cannot go on.

use serde::Serialize;

use super::templates::{Message, Page};

/// What happened, what to do, and the one button that starts again. The reference number and the contact stand
/// in the [`Frame`](crate::web::templates::Frame).
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    /// HTTP status, for the caller; not shown.
    pub status: u16,
    /// What happened, in a few words.
    pub title: Message,
    /// What happened and what to do.
    pub message: Message,
    /// Where 「最初からやり直す」 leads.
    pub restart: Option<String>,
    /// The relying party that may be told that there is no login.
    pub cancel: Option<Cancel>,
}

/// The way back to a relying party without a login.
#[derive(Clone, Debug, Serialize)]
pub struct Cancel {
    /// The interaction that the relying party began.
    pub interaction: String,
    /// Name of the relying party.
    pub client: String,
}

impl ErrorPage {
    /// The statuses that have texts of their own.
    const KNOWN: [u16; 9] = [400, 403, 404, 409, 410, 413, 429, 500, 503];

    /// The page of a status (RFC 9110 §15), in general words; one without its own is told as the first of its
    /// class, 400 or 500.
    pub fn of_status(status: u16) -> Self {
        let told = match status {
            known if Self::KNOWN.contains(&known) => known,
            400..500 => 400,
            _ => 500,
        };
        Self {
            status,
            title: Message::new(format!("error-{told}-title")),
            message: Message::new(format!("error-{told}-message")),
            restart: None,
            cancel: None,
        }
    }

    /// Somebody who is not eligible, as only who knows the password is told; with the way back, if any.
    pub fn not_eligible(cancel: Option<Cancel>) -> Self {
        let page = Self::of_status(403)
            .titled(Message::new("error-not-eligible-title"))
            .explained(Message::new("error-not-eligible"));
        Self { cancel, ..page }
    }

    /// The same page under another title.
    #[must_use]
    pub fn titled(self, title: Message) -> Self {
        Self { title, ..self }
    }

    /// The same page with a more exact explanation.
    #[must_use]
    pub fn explained(self, message: Message) -> Self {
        Self { message, ..self }
    }

    /// The same page with a button that starts again at `path`.
    #[must_use]
    pub fn restarting_at(self, path: impl Into<String>) -> Self {
        Self { restart: Some(path.into()), ..self }
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "pages/error.html";

    fn samples() -> Vec<Self> {
        let mut samples: Vec<_> = Self::KNOWN.into_iter().map(Self::of_status).collect();
        samples.push(Self::of_status(410).restarting_at("/login"));
        samples.push(Self::of_status(418));
        let cancel =
            Cancel { interaction: "q7Zk3vX0aJm2Yt8RbLwN1g".to_owned(), client: "からだ手帳".to_owned() };
        samples.extend([None, Some(cancel)].map(Self::not_eligible));
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_words() {
        let title = |status| ErrorPage::of_status(status).title.id().to_owned();
        assert_eq!(title(410), "error-410-title");
        assert_eq!(title(418), "error-400-title");
        assert_eq!(title(502), "error-500-title");
        assert_eq!(ErrorPage::of_status(418).status, 418);
    }
}
