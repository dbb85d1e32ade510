//! Whatever is typed into a field gets the message of that field and stays there, but for passwords. The fields of
//! 資格照会 have a story of their own, `story_self_registration/input.rs`.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp},
    http_browser::Page,
    journey::{accept_documents, give_login_id, log_in},
    members::{HANAKO, ICHIRO},
};

/// What no field but one for free text or a password takes.
const HOSTILE: [&str; 11] = [
    "ＡＢＣ１２３",
    "ｱﾍﾞ12",
    "👩\u{200d}💻😀",
    "a\u{0}\u{1b}[31m\u{7f}b",
    "\u{202e}gpj.exe\u{200f}",
    "'; drop table member; --",
    "<script>alert(1)</script>\"'>",
    "{{ 7*7 }}${7*7}",
    "昭和64年1月8日",
    "平成31年5月1日",
    "令和元年4月30日",
];
const MEGABYTE: usize = 350_000;

/// A form with a field to type into; everything else is typed as it should be.
struct Case {
    page: Page,
    form: &'static str,
    others: Vec<(&'static str, &'static str)>,
    fields: &'static [&'static str],
}

impl Case {
    fn new(page: Page, form: &'static str, fields: &'static [&'static str]) -> Self {
        assert_eq!(page.select(form).len(), 1, "{form} on {}: {}", page.url, page.text());
        Self { page, form, others: Vec::new(), fields }
    }

    fn and(mut self, name: &'static str, value: &'static str) -> Self {
        self.others.push((name, value));
        self
    }

    async fn send(&self, field: &str, typed: &str) -> Page {
        let form =
            self.others.iter().fold(self.page.form(self.form), |form, (name, value)| form.set(name, value));
        form.set(field, typed).submit().await
    }

    /// The answer names the field, keeps what was typed, and does not take it for markup.
    async fn refuses(&self, field: &str, typed: &str) {
        let here = format!("{} {field} {:.40?}", self.form, typed);
        let answer = self.send(field, typed).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{here}: {}", answer.text());
        let errors = answer.select(".error");
        assert_eq!(errors.len(), 1, "{here}: {}", answer.text());
        assert_eq!(errors[0].attr("id"), Some(format!("{field}-error").as_str()), "{here}");
        assert!(
            errors[0].text.chars().count() > "エラー: ".chars().count() + 5,
            "{here}: {}",
            errors[0].text
        );
        let input = &answer.select(&format!("#{field}"))[0];
        assert_eq!(input.attr("aria-invalid"), Some("true"), "{here}");
        assert!(answer.body.contains("<title>エラー:"), "{here}");
        // HTML parsers read a NUL as U+FFFD.
        let kept = answer.form(self.form).value(field).unwrap().replace('\u{fffd}', "\u{0}");
        assert_eq!(kept, typed, "{here} keeps what was typed");
        assert_eq!(answer.select("script").len(), 1, "{here}: the page's own");
    }
}

async fn cases(app: &mut TestApp) -> Vec<Case> {
    let member = app.activate(&HANAKO).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let open = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&open, ICHIRO.login_id, ICHIRO.born).await).await;
    let forgot_password = app.http_browser().get(&app.url("/recovery/password")).await;
    let forgot_login_id = app.http_browser().get(&app.url("/recovery/login-id")).await;
    vec![
        Case::new(login, "#login-id-form", &["login_id"]),
        Case::new(forgot_password, "#forgot-password-form", &["login_id", "birth_date"])
            .and("login_id", HANAKO.login_id)
            .and("birth_date", HANAKO.born),
        Case::new(forgot_login_id, "#forgot-login-id-form", &["email", "birth_date"])
            .and("email", HANAKO.email)
            .and("birth_date", HANAKO.born),
        Case::new(details, "#details-form", &["kana", "email"])
            .and("kana", ICHIRO.kana)
            .and("email", ICHIRO.email)
            .and("password", ICHIRO.password),
        Case::new(
            member.get(&app.url("/account/profile/more")).await,
            "#more-form",
            &["phone", "postal_code"],
        ),
        Case::new(member.get(&app.url("/account/email")).await, "#email-form", &["email"])
            .and("password", HANAKO.password),
        Case::new(member.get(&app.url("/device")).await, "#device-form", &["user_code"]),
    ]
}

#[tokio::test]
async fn every_field_says_what_is_wrong_and_keeps_what_was_typed() {
    let mut app = TestApp::start(Backend::Embedded).await;
    for case in cases(&mut app).await {
        for field in case.fields {
            for typed in HOSTILE {
                case.refuses(field, typed).await;
                // Wrong codes are counted for a while, which is another story.
                if *field == "user_code" {
                    app.clock.advance(11 * MINUTE);
                }
            }
            case.refuses(field, &"９".repeat(5_000)).await;
            let megabyte = case.send(field, &"あ".repeat(MEGABYTE)).await;
            assert_eq!(megabyte.status, StatusCode::PAYLOAD_TOO_LARGE, "{field}");
            assert!(megabyte.text().contains("大きすぎます"), "{field}: {}", megabyte.text());
        }
    }
    let misses = "select sum(temporary_kana_misses) from roster_person";
    assert_eq!(app.number(misses).await, 0, "nothing of that was a guess at the name");
    app.finish().await;
}

/// Texts that are free are stored as typed, but for what would mislead a reader, and shown as texts.
#[tokio::test]
async fn free_text_is_kept_as_typed_or_refused() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let member = app.activate(&HANAKO).await;
    for field in ["nickname", "region", "locality", "street_address"] {
        for typed in HOSTILE {
            let page = member.get(&app.url("/account/profile/more")).await;
            if typed.contains(['\u{0}', '\u{202e}']) {
                Case::new(page, "#more-form", &[]).refuses(field, typed).await;
                continue;
            }
            let saved = page.form("#more-form").set(field, typed).submit().await.follow_here().await;
            assert_eq!(saved.status, StatusCode::OK, "{field} {typed:?}: {}", saved.text());
            assert_eq!(saved.select("#notice").len(), 1, "{field} {typed:?}");
            let shown = saved.form("#more-form").value(field).unwrap().to_owned();
            assert_eq!(shown, typed, "{field}");
            assert_eq!(saved.select("script").len(), 1, "{field} {typed:?}");
        }
        let page = member.get(&app.url("/account/profile/more")).await;
        Case::new(page, "#more-form", &[]).refuses(field, &"あ".repeat(5_000)).await;
    }
    app.finish().await;
}

/// A password is never on a page again, whatever it was.
#[tokio::test]
async fn passwords_are_never_shown_again() {
    let change = |config: &mut kenpos_idp::config::Config| config.insurers[0].policy.login_failures = 1_000;
    let mut app = TestApp::start_with(Backend::Embedded, change).await;
    let member = app.activate(&HANAKO).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let password = give_login_id(&login, HANAKO.login_id).await;
    let open = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&open, ICHIRO.login_id, ICHIRO.born).await).await;
    let change = member.get(&app.url("/account/password")).await;
    let cases = [
        Case::new(password, "#password-form", &["password"]),
        Case::new(details, "#details-form", &["password"]).and("kana", ICHIRO.kana).and("email", "none"),
        Case::new(change, "#password-form", &["new_password"]).and("password", "not hers"),
    ];
    for case in cases {
        for field in case.fields {
            for typed in HOSTILE {
                let answer = case.send(field, typed).await;
                let here = format!("{} {field} {typed:?}", case.form);
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{here}: {}", answer.text());
                let value = answer.form(case.form).value(field).unwrap_or_default().to_owned();
                assert_eq!(value, "", "{here}");
                assert!(!answer.text().contains(typed), "{here}");
                assert_eq!(answer.select("script").len(), 1, "{here}");
            }
            let megabyte = case.send(field, &"あ".repeat(MEGABYTE)).await;
            assert_eq!(megabyte.status, StatusCode::PAYLOAD_TOO_LARGE, "{field}");
        }
    }
    app.finish().await;
}
