//! Renders the pages: minijinja with everything compiled in, HTML escaped, and nothing left undefined.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde},
};
use serde::{Deserialize, Serialize};

use super::{assets, logos};
use crate::{
    config::insurer::{Insurer, Office},
    texts::{Given, Locale, Texts, grouped},
};

/// What a page shows; its template gets it as `page`.
pub trait Page: Serialize {
    /// Name of the template, in `templates/`.
    const TEMPLATE: &'static str;

    /// The page in its different states, for the test that renders every page in every language.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What surrounds every page.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// Language of the page.
    pub locale: Locale,
    /// In whose name the page speaks.
    pub brand: Brand,
    /// What surrounds the pages of the console.
    pub console: Option<ConsoleFrame>,
    /// Token that every form of the page sends back as `csrf`.
    pub csrf: String,
    /// Query of the page's own URL, which the links to the other language keep.
    pub query: String,
    /// Reference number of this request for the help desk; empty if there is none to show.
    pub reference: String,
}

/// What surrounds a page of the operators' console.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleFrame {
    /// Name of the operator.
    pub name: String,
    /// Role of the operator, as in names of texts.
    pub role: &'static str,
    /// Name of the operator's one insurer; none: all.
    pub scope: Option<Given>,
    /// For whom the forms of the page are.
    pub who: String,
    /// Where the operator may go.
    pub nav: Vec<NavItem>,
    /// What was done just before.
    pub notice: Option<Message>,
}

/// A way to a part of the console.
#[derive(Clone, Debug, Serialize)]
pub struct NavItem {
    /// Name of the part; its text is `console-nav-ID`.
    pub id: &'static str,
    /// Path.
    pub href: &'static str,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// In whose name a page speaks: an insurer, or the service itself.
#[derive(Clone, Debug, Serialize)]
pub struct Brand {
    /// Name, in the language of the page if it has one there.
    pub name: Given,
    /// Colour as `#rrggbb`.
    pub colour: String,
    /// Path of the logo.
    pub logo: Option<String>,
    /// Whom members call.
    pub contact: Option<Office>,
}

impl Brand {
    /// The service itself, where no insurer is known.
    pub fn service() -> Self {
        let name = Given { text: "KENPOS".to_owned(), lang: Locale::En };
        Self { name, colour: "#0a6b5d".to_owned(), logo: None, contact: None }
    }

    /// The insurer where there is only one, or else the service itself.
    pub fn of_all(insurers: &[Insurer], locale: Locale) -> Self {
        match insurers {
            [insurer] => Self::insurer(insurer, locale),
            _ => Self::service(),
        }
    }

    /// An insurer, with the name it has in `locale`.
    pub fn insurer(insurer: &Insurer, locale: Locale) -> Self {
        Self {
            name: insurer.name_in(locale),
            colour: insurer.colour.clone(),
            logo: logos::path_of(insurer),
            contact: Some(insurer.contact.in_locale(locale)),
        }
    }
}

/// A text chosen by a handler: its name in `templates/texts/` and the arguments that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    id: String,
    args: BTreeMap<String, String>,
}

impl Message {
    /// The text with this name.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), args: BTreeMap::new() }
    }

    /// The same text with one more argument.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a number or a name reads better without a borrow")]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    /// Name of the text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text itself.
    pub fn text(&self, texts: &Texts, locale: Locale) -> String {
        texts.text(locale, &self.id, &self.args())
    }

    fn args(&self) -> Vec<(&str, String)> {
        self.args.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
    }
}

/// A template cannot be read or rendered: always a mistake of the program.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct TemplateError(#[from] Error);

/// Every template, by the name that others include it with.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("../../templates/layout.html")),
    ("client.html", include_str!("../../templates/client.html")),
    ("form.html", include_str!("../../templates/form.html")),
    ("papers.html", include_str!("../../templates/papers.html")),
    ("help.html", include_str!("../../templates/help.html")),
    ("letter.html", include_str!("../../templates/letter.html")),
    ("letter_sheet.html", include_str!("../../templates/letter_sheet.html")),
    ("pages/login_id.html", include_str!("../../templates/pages/login_id.html")),
    ("pages/insurer.html", include_str!("../../templates/pages/insurer.html")),
    ("pages/other_members.html", include_str!("../../templates/pages/other_members.html")),
    ("pages/login_number.html", include_str!("../../templates/pages/login_number.html")),
    ("pages/password.html", include_str!("../../templates/pages/password.html")),
    ("pages/select_account.html", include_str!("../../templates/pages/select_account.html")),
    ("pages/registration_start.html", include_str!("../../templates/pages/registration_start.html")),
    ("pages/documents.html", include_str!("../../templates/pages/documents.html")),
    ("pages/bouncing_email.html", include_str!("../../templates/pages/bouncing_email.html")),
    ("pages/new_documents.html", include_str!("../../templates/pages/new_documents.html")),
    ("pages/new_login_id.html", include_str!("../../templates/pages/new_login_id.html")),
    ("pages/not_mine.html", include_str!("../../templates/pages/not_mine.html")),
    ("pages/eligibility.html", include_str!("../../templates/pages/eligibility.html")),
    ("pages/details.html", include_str!("../../templates/pages/details.html")),
    ("pages/confirm.html", include_str!("../../templates/pages/confirm.html")),
    ("pages/sent.html", include_str!("../../templates/pages/sent.html")),
    ("pages/link.html", include_str!("../../templates/pages/link.html")),
    ("pages/link_void.html", include_str!("../../templates/pages/link_void.html")),
    ("pages/done.html", include_str!("../../templates/pages/done.html")),
    ("pages/device/code.html", include_str!("../../templates/pages/device/code.html")),
    ("pages/device/confirm.html", include_str!("../../templates/pages/device/confirm.html")),
    ("pages/device/outcome.html", include_str!("../../templates/pages/device/outcome.html")),
    ("pages/consent.html", include_str!("../../templates/pages/consent.html")),
    ("pages/logout.html", include_str!("../../templates/pages/logout.html")),
    ("pages/logged_out.html", include_str!("../../templates/pages/logged_out.html")),
    ("account.html", include_str!("../../templates/account.html")),
    ("pages/account/overview.html", include_str!("../../templates/pages/account/overview.html")),
    ("pages/account/profile.html", include_str!("../../templates/pages/account/profile.html")),
    ("pages/account/more.html", include_str!("../../templates/pages/account/more.html")),
    ("pages/account/password.html", include_str!("../../templates/pages/account/password.html")),
    ("pages/account/email.html", include_str!("../../templates/pages/account/email.html")),
    ("pages/account/email_link.html", include_str!("../../templates/pages/account/email_link.html")),
    ("pages/account/preferences.html", include_str!("../../templates/pages/account/preferences.html")),
    ("pages/account/sessions.html", include_str!("../../templates/pages/account/sessions.html")),
    ("pages/account/apps.html", include_str!("../../templates/pages/account/apps.html")),
    ("pages/account/history.html", include_str!("../../templates/pages/account/history.html")),
    ("pages/account/report.html", include_str!("../../templates/pages/account/report.html")),
    ("pages/account/reported.html", include_str!("../../templates/pages/account/reported.html")),
    ("pages/account/deletion.html", include_str!("../../templates/pages/account/deletion.html")),
    ("pages/forgot_login_id.html", include_str!("../../templates/pages/forgot_login_id.html")),
    ("pages/forgot_password.html", include_str!("../../templates/pages/forgot_password.html")),
    ("pages/forgot_sent.html", include_str!("../../templates/pages/forgot_sent.html")),
    ("pages/forgot_void.html", include_str!("../../templates/pages/forgot_void.html")),
    ("pages/link_reveal.html", include_str!("../../templates/pages/link_reveal.html")),
    ("pages/revealed.html", include_str!("../../templates/pages/revealed.html")),
    ("pages/link_renew.html", include_str!("../../templates/pages/link_renew.html")),
    ("pages/renewed.html", include_str!("../../templates/pages/renewed.html")),
    ("admin/console.html", include_str!("../../templates/admin/console.html")),
    ("admin/parts.html", include_str!("../../templates/admin/parts.html")),
    ("admin/confirm.html", include_str!("../../templates/admin/confirm.html")),
    ("admin/sign_in.html", include_str!("../../templates/admin/sign_in.html")),
    ("admin/setup.html", include_str!("../../templates/admin/setup.html")),
    ("admin/setup_void.html", include_str!("../../templates/admin/setup_void.html")),
    ("admin/recovery_codes.html", include_str!("../../templates/admin/recovery_codes.html")),
    ("admin/dashboard.html", include_str!("../../templates/admin/dashboard.html")),
    ("admin/audit.html", include_str!("../../templates/admin/audit.html")),
    ("admin/audit_verified.html", include_str!("../../templates/admin/audit_verified.html")),
    ("admin/deletion_requests.html", include_str!("../../templates/admin/deletion_requests.html")),
    ("admin/member.html", include_str!("../../templates/admin/member.html")),
    ("admin/member_email.html", include_str!("../../templates/admin/member_email.html")),
    ("admin/member_issue.html", include_str!("../../templates/admin/member_issue.html")),
    ("admin/member_issued.html", include_str!("../../templates/admin/member_issued.html")),
    ("admin/members.html", include_str!("../../templates/admin/members.html")),
    ("admin/roster.html", include_str!("../../templates/admin/roster.html")),
    ("admin/roster_new.html", include_str!("../../templates/admin/roster_new.html")),
    ("admin/roster_import.html", include_str!("../../templates/admin/roster_import.html")),
    ("admin/operators.html", include_str!("../../templates/admin/operators.html")),
    ("admin/operator.html", include_str!("../../templates/admin/operator.html")),
    ("admin/operator_new.html", include_str!("../../templates/admin/operator_new.html")),
    ("admin/operator_role.html", include_str!("../../templates/admin/operator_role.html")),
    ("admin/queue.html", include_str!("../../templates/admin/queue.html")),
    ("admin/bounces.html", include_str!("../../templates/admin/bounces.html")),
    ("admin/keys.html", include_str!("../../templates/admin/keys.html")),
    ("admin/documents.html", include_str!("../../templates/admin/documents.html")),
    ("admin/document.html", include_str!("../../templates/admin/document.html")),
    ("admin/webhooks.html", include_str!("../../templates/admin/webhooks.html")),
    ("admin/webhook.html", include_str!("../../templates/admin/webhook.html")),
    ("admin/webhook_form.html", include_str!("../../templates/admin/webhook_form.html")),
    ("admin/webhook_secret.html", include_str!("../../templates/admin/webhook_secret.html")),
    ("admin/account.html", include_str!("../../templates/admin/account.html")),
    ("admin/own_password.html", include_str!("../../templates/admin/own_password.html")),
    ("admin/own_factor.html", include_str!("../../templates/admin/own_factor.html")),
    ("admin/own_codes.html", include_str!("../../templates/admin/own_codes.html")),
    ("admin/clients.html", include_str!("../../templates/admin/clients.html")),
    ("admin/client.html", include_str!("../../templates/admin/client.html")),
    ("admin/client_edit.html", include_str!("../../templates/admin/client_edit.html")),
    ("admin/client_new.html", include_str!("../../templates/admin/client_new.html")),
    ("admin/client_parts.html", include_str!("../../templates/admin/client_parts.html")),
    ("admin/client_secret.html", include_str!("../../templates/admin/client_secret.html")),
    ("admin/client_settings.html", include_str!("../../templates/admin/client_settings.html")),
    ("admin/client_told.html", include_str!("../../templates/admin/client_told.html")),
    ("admin/client_tried.html", include_str!("../../templates/admin/client_tried.html")),
    ("admin/client_try.html", include_str!("../../templates/admin/client_try.html")),
    ("pages/error.html", include_str!("../../templates/pages/error.html")),
    ("pages/form_post.html", include_str!("../../templates/pages/form_post.html")),
];

/// The templates of every language.
#[derive(Debug)]
pub struct Templates {
    ja: Environment<'static>,
    en: Environment<'static>,
}

impl Templates {
    /// Reads the templates that are compiled in.
    pub fn load(texts: Arc<Texts>) -> Result<Self, TemplateError> {
        // Read once: the compiled templates are several megabytes, which the clone shares.
        let templates = environment()?;
        let ja = in_language(templates.clone(), Locale::Ja, Arc::clone(&texts));
        Ok(Self { ja, en: in_language(templates, Locale::En, texts) })
    }

    /// The page as HTML.
    pub fn render<P: Page>(&self, frame: &Frame, page: &P) -> Result<String, TemplateError> {
        let environment = match frame.locale {
            Locale::Ja => &self.ja,
            Locale::En => &self.en,
        };
        Ok(environment.get_template(P::TEMPLATE)?.render(context! {
            frame => Serde(frame),
            page => Serde(page),
            locale => frame.locale.tag(),
            languages => Serde(languages(frame)),
            brand_style => assets::brand_path(&frame.brand.colour),
        })?)
    }
}

/// Every template, with what is the same in every language.
fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_function("error_of", error_of);
    environment.add_filter("grouped", |count: i128| grouped(count));
    environment.add_global("style", assets::style_path());
    environment.add_global("console_style", assets::console_style_path());
    environment.add_global("script", assets::script_path());
    environment.add_global("icon", assets::icon_path());
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// The same with the texts of a language.
fn in_language(
    mut environment: Environment<'static>,
    locale: Locale,
    texts: Arc<Texts>,
) -> Environment<'static> {
    let say = Arc::clone(&texts);
    environment.add_function("t", move |id: &str, args: Kwargs| {
        let args = args
            .args()
            .map(|name| Ok((name, argument(&args.peek(name)?))))
            .collect::<Result<Vec<_>, Error>>()?;
        text(&texts, locale, id, &args)
    });
    environment
        .add_function("say", move |message: Serde<Message>| text(&say, locale, &message.id, &message.args()));
    environment
}

/// What a text takes from a template: numbers are counts.
fn argument(value: &Value) -> String {
    match i128::try_from(value.clone()) {
        Ok(count) if value.is_number() => grouped(count),
        _ => value.to_string(),
    }
}

/// The message of `field` among the errors of a form, or that of the form as a whole for none.
fn error_of(errors: &Value, field: Option<&str>) -> Result<Value, Error> {
    for error in errors.try_iter()? {
        if error.get_attr("field")?.as_str() == field {
            return error.get_attr("message");
        }
    }
    Ok(Value::from(()))
}

/// A missing text fails the tests; a member would rather see its name than no page at all.
fn text(texts: &Texts, locale: Locale, id: &str, args: &[(&str, String)]) -> Result<String, Error> {
    if !texts.has(locale, id) {
        if cfg!(debug_assertions) {
            return Err(Error::new(ErrorKind::UndefinedError, format!("no text is named {id}")));
        }
        tracing::error!(text = id, %locale, "a text is missing");
    }
    Ok(texts.text(locale, id, args))
}

/// A language that the page can be read in.
#[derive(Serialize)]
struct Language {
    tag: &'static str,
    href: String,
    current: bool,
}

/// Links to the page itself in each language, by the `ui_locales` of OpenID Connect Core §3.1.2.1. They have
/// no path: one that starts with two slashes would lead to another host (RFC 3986 §4.2).
fn languages(frame: &Frame) -> Vec<Language> {
    let kept = frame.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("ui_locales="));
    let kept: String = kept.flat_map(|pair| [pair, "&"]).collect();
    Locale::ALL
        .into_iter()
        .map(|locale| Language {
            tag: locale.tag(),
            href: format!("?{kept}ui_locales={locale}"),
            current: locale == frame.locale,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(query: &str) -> Frame {
        Frame {
            locale: Locale::En,
            brand: Brand::service(),
            console: None,
            csrf: "token".into(),
            query: query.into(),
            reference: String::new(),
        }
    }

    #[test]
    fn the_links_to_other_languages_keep_the_rest_of_the_query() {
        let hrefs = |query| languages(&frame(query)).into_iter().map(|l| l.href).collect::<Vec<_>>();
        assert_eq!(hrefs(""), ["?ui_locales=ja", "?ui_locales=en"]);
        assert_eq!(hrefs("ui_locales=ja&i=x"), ["?i=x&ui_locales=ja", "?i=x&ui_locales=en"]);
    }

    #[test]
    fn counts_are_grouped_in_texts_and_beside_them() {
        let mut environment = environment().unwrap();
        environment
            .add_template("x", "{{ 10000 | grouped }} {{ t('roster-report-more', count=1249) }}")
            .unwrap();
        let environment = in_language(environment, Locale::Ja, Arc::new(Texts::load().unwrap()));
        let text = environment.get_template("x").unwrap().render(()).unwrap();
        assert_eq!(text, "10,000 ほかに1,249行あります。");
    }

    #[test]
    fn every_template_file_is_compiled_in() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut files = Vec::new();
        // Mails have a list of their own.
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("mail") && !path.ends_with("documents") {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "html") {
                    files.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        files.sort();
        let mut names: Vec<_> = TEMPLATES.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.sort();
        assert_eq!(names, files);
    }

    #[test]
    fn a_text_that_is_missing_fails_here() {
        let texts = Texts::load().unwrap();
        assert!(text(&texts, Locale::Ja, "no-such-text", &[]).is_err());
    }
}
