//! The letter that carries an activation code: one page to print, which needs nothing else.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::Context as _;
use serde::Serialize;

use crate::{
    app::App,
    clock::Timestamp,
    config::Insurer,
    members::activation_code::ActivationCode,
    texts::Locale,
    web::templates::{Brand, Frame, Page},
};

/// What the letter tells. It is handed over by the office, so it names the login ID, but no birth date.
#[derive(Clone, Debug, Serialize)]
struct Letter {
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
}

impl Page for Letter {
    const TEMPLATE: &'static str = "letter.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            login_id: "7132-091200001".to_owned(),
            code: "ABCD-2345-EFGH".to_owned(),
            expires: "2026年12月23日(水)10時15分".to_owned(),
            issued: "2026年11月23日(月)10時15分".to_owned(),
            url: "https://login.example.jp/login".to_owned(),
        }]
    }
}

/// Writes the letter to a new file that only its owner may read.
pub fn write(
    app: &App,
    insurer: &Insurer,
    login_id: &str,
    (code, until): (&ActivationCode, Timestamp),
    file: &Path,
) -> anyhow::Result<()> {
    let say = |at| app.texts.date_time(Locale::Ja, at);
    let letter = Letter {
        login_id: login_id.to_owned(),
        code: code.grouped(),
        expires: say(until),
        issued: say(app.now()),
        url: app.config().server.url("/login"),
    };
    let frame = Frame {
        locale: Locale::Ja,
        brand: Brand::insurer(insurer, Locale::Ja),
        csrf: String::new(),
        query: String::new(),
        reference: String::new(),
    };
    let html = app.templates.render(&frame, &letter)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).with_context(|| format!("{} cannot be written", file.display()))?;
    out.write_all(html.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::insurer::Contact, texts::Texts, web::templates::Templates};

    #[test]
    fn the_letter_needs_nothing_but_itself() {
        let templates = Templates::load(Arc::new(Texts::load().unwrap())).unwrap();
        for locale in Locale::ALL {
            let contact = Contact { name: "<事務局>".to_owned(), ..Contact::default() };
            let insurer = Insurer { name: "みほん健保".to_owned(), contact, ..Insurer::default() };
            let brand = Brand::insurer(&insurer, locale);
            let (csrf, query, reference) = (String::new(), String::new(), String::new());
            let html = templates
                .render(&Frame { locale, brand, csrf, query, reference }, &Letter::samples()[0])
                .unwrap();
            assert!(html.contains("ABCD-2345-EFGH") && html.contains("&lt;事務局&gt;"), "{html}");
            for outside in ["src=", "<link", "<script", "url(", "@import"] {
                assert!(!html.contains(outside), "{outside} in {html}");
            }
        }
    }
}
