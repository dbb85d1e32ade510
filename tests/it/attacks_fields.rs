//! Whatever is typed into a field gets the message of that field and stays there, but for passwords. The fields of
//! 資格照会 have a story of their own, `story_self_registration/input.rs`.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, MINUTE, TestApp},
    attack::good_request,
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, give_login_id, log_in, register},
    log,
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
    let number = login.click("#by-number").await;
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let reveal = app.http_browser().get(app.mailbox.next_link(HANAKO.email).await.as_str()).await;
    vec![
        Case::new(login, "#login-id-form", &["login_id"]),
        Case::new(number, "#login-number-form", &["symbol", "number"])
            .and("symbol", "91")
            .and("number", "200001"),
        Case::new(reveal, "#reveal-form", &["birth_date"]),
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

#[tokio::test]
async fn the_number_of_an_insurer_too() {
    let app = TestApp::of_two(Backend::Embedded).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let case = Case::new(login.click("#choose-insurer").await, "#insurer-number-form", &["insurer_number"]);
    for typed in HOSTILE {
        case.refuses("insurer_number", typed).await;
    }
    case.refuses("insurer_number", &"９".repeat(5_000)).await;
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
        Case::new(app.account(&member, "/email").await, "#email-form", &["password"]).and("email", NEW),
        Case::new(app.account(&member, "/report").await, "#report-form", &["password"]),
        Case::new(app.account(&member, "/deletion").await, "#deletion-form", &["password"]),
        Case::new(new_address(&mut app, &member).await, "#link-form", &["password"]),
    ];
    for case in cases {
        for field in case.fields {
            never_shown_again(&case, field, &HOSTILE).await;
        }
    }
    // Five wrong passwords end the link of a registration, and a strong one would be the new one of a recovery.
    never_shown_again(&mailed_link(&mut app).await, "password", &HOSTILE[3..7]).await;
    let renew = app.password_link(&HANAKO).await;
    let renew = Case::new(app.http_browser().get(renew.as_str()).await, "#renew-form", &[]);
    never_shown_again(&renew, "password", &["ＡＢＣ１２３", "ｱﾍﾞ12", "a\u{0}\u{1b}[31m", "<b>'\"</b>"]).await;
    app.finish().await;
}

/// An address that nobody has.
const NEW: &str = "hanako.new@mail.example";

async fn never_shown_again(case: &Case, field: &str, passwords: &[&str]) {
    for typed in passwords {
        let answer = case.send(field, typed).await;
        let here = format!("{} {field} {typed:?}", case.form);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{here}: {}", answer.text());
        assert!(!answer.select("#errors, .error").is_empty(), "{here}: {}", answer.text());
        let value = answer.form(case.form).value(field).unwrap_or_default().to_owned();
        assert_eq!(value, "", "{here}");
        assert!(!answer.text().contains(typed), "{here}");
        assert_eq!(answer.select("script").len(), 1, "{here}");
    }
    let megabyte = case.send(field, &"あ".repeat(MEGABYTE)).await;
    assert_eq!(megabyte.status, StatusCode::PAYLOAD_TOO_LARGE, "{} {field}", case.form);
}

/// The page of the link that a member's new address was mailed.
async fn new_address(app: &mut TestApp, member: &HttpBrowser) -> Page {
    log::keep_secret(NEW);
    let page = app.account(member, "/email").await;
    page.form("#email-form").set("email", NEW).set("password", HANAKO.password).submit().await;
    app.http_browser().get(app.mailbox.next_link(NEW).await.as_str()).await
}

/// The page of the link at the end of a registration.
async fn mailed_link(app: &mut TestApp) -> Case {
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    register(&login, &ICHIRO).await;
    let link = app.mailbox.next_link(ICHIRO.email).await;
    Case::new(app.http_browser().get(link.as_str()).await, "#link-form", &[])
}

/// Sends a form with a value that none of its controls has, as no person could.
async fn force(
    app: &TestApp,
    browser: &HttpBrowser,
    page: &Page,
    css: &str,
    field: &str,
    value: &str,
) -> Page {
    let form = page.form(css);
    let hidden = ["csrf", "who", "privacy_shown", "terms_shown"];
    let mut pairs: Vec<(&str, &str)> =
        hidden.iter().filter_map(|name| form.value(name).map(|value| (*name, value))).collect();
    pairs.retain(|(name, _)| *name != field);
    pairs.push((field, value));
    let path = page.select(css)[0].attr("action").unwrap().to_owned();
    let body = serde_html_form::to_string(&pairs).unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    browser.raw(Method::POST, &app.url(&path), &headers, &body).await
}

/// Where there is only something to choose or to tick, or a token, anything else decides nothing.
#[tokio::test]
async fn a_choice_that_no_page_offers_decides_nothing() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let member = app.activate(&HANAKO).await;
    app.sql("update receipt set version = 'older'").await;
    let request = app.authorize_url(&good_request(&app.client, "openid"));
    let documents = member.get(&request).await.follow_here().await;
    for field in ["privacy", "terms", "privacy_shown"] {
        for typed in HOSTILE {
            let answer = force(&app, &member, &documents, "#documents-form", field, typed).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {typed:?}");
            assert!(
                !answer.select(".error").is_empty() && answer.select("script").len() == 1,
                "{field} {typed:?}"
            );
        }
    }
    assert_eq!(app.number("select count(*) from receipt where version <> 'older'").await, 0);
    app.sql("update receipt set version = (select max(version) from document where kind = receipt.kind)")
        .await;

    app.sql("update roster_person set former_login = 'email' where number = '200001' and branch = '00'")
        .await;
    let visitor = app.http_browser();
    let login = visitor.get(&app.url("/login")).await.follow_here().await;
    let choice = log_in(&login, HANAKO.email, HANAKO.password).await;
    for field in ["choice", "who"] {
        for typed in HOSTILE {
            let answer = force(&app, &visitor, &choice, "#new-login-id-form", field, typed).await;
            let again = answer.follow_here().await;
            assert!(again.url.path().ends_with("/new-login-id"), "{field} {typed:?}: {}", again.url);
        }
    }
    assert_eq!(app.number("select count(*) from roster_person where former_login = 'email'").await, 1);

    for path in
        ["/registration/report/", "/registration/link/", "/recovery/password/link/", "/account/email/link/"]
    {
        for typed in ["x", "%00", "%F0%9F%98%80", "'%3B%20drop%20table%20member", "%3Cscript%3E", "%E2%80%AE"]
        {
            let page = app.http_browser().get(&app.url(&format!("{path}{typed}"))).await;
            assert_eq!(page.status, StatusCode::GONE, "{path}{typed}: {}", page.text());
            assert_eq!(page.select("script").len(), 1, "{path}{typed}");
        }
    }
    app.finish().await;
}
