//! The letter that carries an activation code: one page to print. The console shows it, the command line writes
//! it to a file.

use serde::Serialize;

use crate::{
    app::App,
    clock::Timestamp,
    config::Insurer,
    members::activation_code::ActivationCode,
    texts::Locale,
    web::templates::{Brand, Frame, Page, TemplateError},
};

/// What the letter tells. It is handed over by the office, so it names the login ID, but no birth date.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    /// The login ID.
    login_id: String,
    /// The code, in groups.
    code: String,
    /// When the code is void, in words.
    expires: String,
    /// The day of the letter, in words.
    issued: String,
    /// Where the registration begins.
    url: String,
    /// Level of its heading: 1 on a page of its own.
    level: u8,
}

/// The same letter without a page of its own around it.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct Sheet(Letter);

impl Page for Letter {
    const TEMPLATE: &'static str = "letter.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            login_id: "7132-091200001".to_owned(),
            code: "ABCD-2345-EFGH".to_owned(),
            expires: "2026年12月23日(水)10時15分".to_owned(),
            issued: "2026年11月23日(月)10時15分".to_owned(),
            url: "https://login.example.jp/login".to_owned(),
            level: 1,
        }]
    }
}

impl Page for Sheet {
    const TEMPLATE: &'static str = "letter_sheet.html";

    fn samples() -> Vec<Self> {
        Letter::samples().into_iter().map(|letter| Sheet(Letter { level: 2, ..letter })).collect()
    }
}

impl Letter {
    /// The letter of a code. It is in Japanese, as the documents are whose 記号・番号 it goes with.
    pub fn new(app: &App, login_id: &str, code: &ActivationCode, until: Timestamp) -> Self {
        let say = |at| app.texts.date_time(Locale::Ja, at);
        Self {
            login_id: login_id.to_owned(),
            code: code.grouped(),
            expires: say(until),
            issued: say(app.now()),
            url: app.config().server.url("/login"),
            level: 1,
        }
    }

    /// As a file that needs nothing else.
    pub fn file(&self, app: &App, insurer: &Insurer) -> Result<String, TemplateError> {
        app.templates.render(&frame(insurer), self)
    }

    /// As a part of another page: markup in which every value is escaped already.
    pub fn sheet(self, app: &App, insurer: &Insurer) -> Result<String, TemplateError> {
        app.templates.render(&frame(insurer), &Sheet(Self { level: 2, ..self }))
    }
}

fn frame(insurer: &Insurer) -> Frame {
    Frame {
        console: None,
        locale: Locale::Ja,
        brand: Brand::insurer(insurer, Locale::Ja),
        csrf: String::new(),
        query: String::new(),
        reference: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::insurer::Contact, texts::Texts, web::templates::Templates};

    #[test]
    fn the_letter_needs_nothing_but_itself() {
        let templates = Templates::load(Arc::new(Texts::load().unwrap())).unwrap();
        let contact = Contact { name: "<事務局>".to_owned(), ..Contact::default() };
        let insurer = Insurer { name: "みほん健保".to_owned(), contact, ..Insurer::default() };
        for locale in Locale::ALL {
            let frame = Frame { locale, brand: Brand::insurer(&insurer, locale), ..frame(&insurer) };
            let html = templates.render(&frame, &Letter::samples()[0]).unwrap();
            assert!(html.contains("ABCD-2345-EFGH") && html.contains("&lt;事務局&gt;"), "{html}");
            for outside in ["src=", "<link", "<script", "url(", "@import"] {
                assert!(!html.contains(outside), "{outside} in {html}");
            }
            let sheet = templates.render(&frame, &Sheet::samples()[0]).unwrap();
            assert!(sheet.contains("ABCD-2345-EFGH") && !sheet.contains("<h1"), "{sheet}");
        }
    }
}
