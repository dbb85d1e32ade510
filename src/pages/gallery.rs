//! Every page in every state and language: the test that renders them all, and a way to look at them.

mod readers;

use std::{collections::BTreeSet, sync::Arc};

use scraper::{ElementRef, Html, Selector};

use crate::{
    admin, pages,
    texts::{Given, Locale, Texts},
    web::error_page::ErrorPage,
    web::{
        assets,
        templates::{Brand, ConsoleFrame, Frame, Message, Page, Templates},
    },
};

/// A page in one state and one language.
struct Picture {
    name: String,
    locale: Locale,
    html: String,
}

fn frame(locale: Locale, state: usize) -> Frame {
    let brands = [
        ("さくら健康保険組合", "#0a6b5d"),
        ("東京都情報サービス産業および関連産業従業員健康保険組合", "#1f4e9c"),
        (pages::sample::HOSTILE, "#f5c400"),
    ];
    let (name, colour) = brands[state % brands.len()];
    let contact = (state != 1).then(pages::sample::contact);
    Frame {
        locale,
        brand: Brand {
            name: Given::choose(locale, name, None),
            colour: colour.to_owned(),
            logo: (state == 1).then(|| "/assets/logo/7132".to_owned()),
            contact,
        },
        console: Some(ConsoleFrame {
            name: [pages::sample::HOSTILE, "山田 太郎", pages::sample::LONG][state % 3].to_owned(),
            role: ["administrator", "office", "client_manager", "auditor"][state % 4],
            scope: (state == 1).then(|| Given::choose(locale, "さくら健康保険組合", None)),
            who: pages::sample::HOSTILE.to_owned(),
            nav: admin::frame::nav(crate::operators::Role::Administrator, "/admin/operators/new"),
            notice: (state == 0).then(|| Message::new("console-notice-password")),
        }),
        csrf: pages::sample::HOSTILE.to_owned(),
        query: format!("i={}", pages::sample::HOSTILE),
        reference: "20261123-7F3K".to_owned(),
    }
}

fn pictures_of<P: Page>(templates: &Templates, pictures: &mut Vec<Picture>) {
    let samples = P::samples();
    assert!(!samples.is_empty(), "{} has no samples", P::TEMPLATE);
    for locale in Locale::ALL {
        for (state, page) in samples.iter().enumerate() {
            let name = P::TEMPLATE.trim_start_matches("pages/").trim_end_matches(".html").replace('/', "-");
            let html = templates
                .render(&frame(locale, state), page)
                .unwrap_or_else(|error| panic!("{name} {state} {locale}: {error}"));
            pictures.push(Picture { name: format!("{name}-{state}"), locale, html });
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a line a page")]
fn pictures() -> Vec<Picture> {
    let templates = Templates::load(Arc::new(Texts::load().unwrap())).unwrap();
    let mut all = Vec::new();
    macro_rules! every {
        ($($($part:ident)::+),* $(,)?) => { $(pictures_of::<pages::$($part)::+>(&templates, &mut all);)* };
    }
    every!(
        login_id::LoginId,
        login_number::LoginNumber,
        insurer::ChooseInsurer,
        other_members::OtherMembers,
        password::Password,
        select_account::SelectAccount,
        registration_start::RegistrationStart,
        eligibility::Eligibility,
        documents::Documents,
        new_documents::NewDocuments,
        bouncing_email::BouncingEmail,
        new_login_id::NewLoginId,
        not_mine::NotMine,
        details::Details,
        confirm::Confirm,
        sent::Sent,
        link::Link,
        link_void::LinkVoid,
        done::Done,
        consent::Consent,
        device::EnterCode,
        device::ConfirmDevice,
        device::DeviceOutcome,
        logout::Logout,
        logged_out::LoggedOut,
        account::overview::Overview,
        account::profile::Profile,
        account::more::More,
        account::password::Password,
        account::email::Email,
        account::email_link::EmailLink,
        account::preferences::Preferences,
        account::sessions::Sessions,
        account::apps::Apps,
        account::history::History,
        account::report::Report,
        account::reported::Reported,
        account::deletion::Deletion,
        recovery::ForgotLoginId,
        recovery::ForgotPassword,
        recovery::ForgotSent,
        recovery::ForgotVoid,
        recovery::Reveal,
        recovery::Revealed,
        recovery::Renew,
        recovery::Renewed,
        form_post::FormPost,
    );
    macro_rules! console {
        ($($($part:ident)::+),* $(,)?) => { $(pictures_of::<admin::$($part)::+>(&templates, &mut all);)* };
    }
    console!(
        sign_in::SignInPage,
        setup::SetupPage,
        setup::SetupVoid,
        recovery_codes::RecoveryCodes,
        dashboard::Dashboard,
        audit::AuditPage,
        audit_verified::Verified,
        members::MembersPage,
        member::MemberPage,
        member_issue::IssuePage,
        member_issue::IssuedPage,
        member_email::CorrectEmail,
        deletion_requests::DeletionRequests,
        roster::RosterPage,
        roster_new::NewPage,
        roster_import::ImportPage,
        operators::Operators,
        operator::OperatorPage,
        operator_new::NewPage,
        operator_role::RolePage,
        confirm::Confirm,
        account::AccountPage,
        own_password::OwnPassword,
        own_factor::OwnFactor,
        own_codes::OwnCodes,
        clients::list::ClientsPage,
        clients::detail::ClientPage,
        clients::new::NewClient,
        clients::edit::EditClient,
        clients::told::Told,
        clients::secret::SecretPage,
        clients::settings::SettingsPage,
        clients::trial::TryPage,
        clients::trial::TriedPage,
        documents::DocumentsPage,
        documents::DocumentPage,
        queue::QueuePage,
        bounces::Bounces,
        keys::Keys,
        webhooks::Webhooks,
        webhooks::WebhookPage,
        webhook_form::WebhookForm,
        webhook_form::WebhookSecret,
    );
    pictures_of::<ErrorPage>(&templates, &mut all);
    all
}

fn select<'a>(document: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    document.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn every_page_is_sound() {
    for Picture { name, locale, html } in pictures() {
        let document = Html::parse_document(&html);
        let here = format!("{name} in {locale}");
        assert_eq!(select(&document, "h1").len(), 1, "{here}");
        assert_eq!(select(&document, "main").len(), 1, "{here}");
        assert_eq!(document.root_element().attr("lang"), Some(locale.tag()), "{here}");
        let title: String = select(&document, "title")[0].text().collect();
        let failed = !select(&document, "#errors, [aria-invalid]").is_empty();
        assert_eq!(title.starts_with("エラー:") || title.starts_with("Error:"), failed, "{here}: {title}");
        // A text without its argument would show the argument's name.
        assert!(!html.contains("{$") && !html.contains("{ $"), "{here}");

        let ids: Vec<_> = select(&document, "[id]").into_iter().filter_map(|e| e.attr("id")).collect();
        let unique: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{here}: an id stands twice");
        for attribute in ["aria-describedby", "aria-labelledby", "aria-controls", "for"] {
            for element in select(&document, &format!("[{attribute}]")) {
                for id in element.attr(attribute).unwrap().split_whitespace() {
                    assert!(unique.contains(id), "{here}: {attribute} names {id}, which is not there");
                }
            }
        }
    }
}

#[test]
fn what_an_insurer_gave_says_its_language() {
    let japanese =
        |text: &str| text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
    let mut found = 0;
    for Picture { name, locale, html } in pictures() {
        let document = Html::parse_document(&html);
        let given = ".head-name, .contact-name, .contact span, .insurer-name b, #shown-insurer[lang], #insurer option[lang]";
        for element in select(&document, given) {
            let text: String = element.text().collect();
            let lang =
                element.attr("lang").unwrap_or_else(|| panic!("{name} {locale}: {text} has no language"));
            assert!(lang == "ja" || !japanese(&text), "{name} {locale}: {text} is marked {lang}");
            found += 1;
        }
    }
    assert!(found > 100, "only {found} found");
}

#[test]
fn nothing_on_a_page_needs_a_looser_content_security_policy() {
    for Picture { name, html, .. } in pictures() {
        let document = Html::parse_document(&html);
        assert!(select(&document, "style, object, embed, base").is_empty(), "{name}");
        for image in select(&document, "img") {
            // Pictures are insurers' and a client's, from our own origin.
            let path = image.attr("src").unwrap_or_default();
            let client = path.starts_with("/logo/") && image.attr("id") == Some("client-logo");
            assert!(client || path.starts_with("/assets/logo/"), "{name}");
        }
        // Frames of relying parties that are told of a logout: they can neither lead the page away nor be seen.
        for frame in select(&document, "iframe") {
            assert!(name.starts_with("logged_out") && frame.attr("hidden").is_some(), "{name}");
            assert_eq!(frame.attr("sandbox"), Some("allow-scripts allow-same-origin"), "{name}");
        }
        for element in select(&document, "*") {
            for (attribute, value) in element.value().attrs() {
                assert!(!attribute.starts_with("on") && attribute != "style", "{name}: {attribute}={value}");
            }
        }
        for script in select(&document, "script") {
            assert_eq!(script.attr("src"), Some(assets::script_path()), "{name}");
            assert_eq!(script.text().count(), 0, "{name}");
        }
        for link in select(&document, "link") {
            assert!(assets::find(link.attr("href").unwrap()).is_some(), "{name}");
        }
        for link in select(&document, "a[href]") {
            let href = link.attr("href").unwrap();
            let outside = ["to-service", "onward", "client-policy", "client-terms"]
                .contains(&link.attr("id").unwrap_or(""));
            let inside = href.starts_with(['#', '?', '/']) && !href.starts_with("//");
            let contact = href.starts_with("tel:") || href.starts_with("mailto:");
            assert!(inside || contact || outside && href.starts_with("https://"), "{name}: {href}");
        }
    }
}

#[test]
fn what_people_type_never_becomes_markup() {
    let mut seen = 0;
    for Picture { name, html, .. } in pictures() {
        let document = Html::parse_document(&html);
        assert_eq!(select(&document, "script").len(), 1, "{name}");
        let strange = "img:not(#client-logo, [src^='/assets/logo/'])";
        assert!(select(&document, strange).is_empty(), "{name}");
        assert!(!html.contains("<script>"), "{name}");
        seen += html.matches("&lt;script&gt;").count();
    }
    assert!(seen > 50, "hostile texts stand on many pages, found {seen}");
}

#[test]
fn every_form_can_be_filled_in_by_everybody() {
    for Picture { name, html, .. } in pictures() {
        let document = Html::parse_document(&html);
        for form in select(&document, "form") {
            assert!(form.attr("id").is_some() && form.attr("action").is_some(), "{name}");
            // A search changes nothing, and its address can be kept.
            if form.attr("role") == Some("search") {
                assert_eq!(form.attr("method"), Some("get"), "{name}");
                continue;
            }
            assert_eq!(form.attr("method"), Some("post"), "{name}");
            let token: Vec<_> = form.select(&Selector::parse("input[name=csrf]").unwrap()).collect();
            if name.starts_with("form_post") {
                assert!(token.is_empty(), "{name}: the token is told to somebody else");
            } else {
                assert_eq!(token[0].attr("value"), Some(pages::sample::HOSTILE), "{name}");
            }
        }
        for button in select(&document, "button, a.button") {
            assert!(button.attr("id").is_some(), "{name}");
        }
        for input in select(&document, "input:not([hidden]):not([type=hidden]), select") {
            let id = input.attr("id").unwrap();
            assert_eq!(select(&document, &format!("label[for='{id}']")).len(), 1, "{name}: {id}");
            assert!(input.attr("type") == Some("checkbox") || input.attr("name") == Some(id), "{name}: {id}");
            assert!(input.attr("type") != Some("password") || input.attr("value").is_none(), "{name}");
        }
        for error in select(&document, ".error") {
            let field = error.attr("id").unwrap().trim_end_matches("-error");
            let input = select(&document, &format!("#{field}"))[0];
            assert_eq!(input.attr("aria-invalid"), Some("true"), "{name}: {field}");
            let described = input.attr("aria-describedby").unwrap();
            assert!(described.split_whitespace().any(|id| Some(id) == error.attr("id")), "{name}: {field}");
        }
    }
}

#[test]
fn whoever_holds_the_mail_learns_nothing_about_the_member() {
    for Picture { name, locale, html } in pictures() {
        if name.starts_with("link") || name.starts_with("account-email_link") {
            assert!(!html.contains(pages::sample::LOGIN_ID), "{name}");
            // Nor how the registration began.
            let texts = Texts::load().unwrap();
            for first in ["steps-login", "steps-eligibility"] {
                let step = format!("<span>{}</span>", texts.text(locale, first, &[]));
                assert!(!html.contains(&step), "{name}: {step}");
            }
            assert!(html.contains("<meta name=\"referrer\" content=\"no-referrer\">"), "{name}");
        }
    }
}

#[test]
fn what_must_be_filled_in_is_marked() {
    // Whoever logs in meets a field or two, and both are needed.
    let bare = ["login_id", "password", "login_number", "insurer", "device-", "admin-"];
    for Picture { name, html, .. } in pictures() {
        let document = Html::parse_document(&html);
        for field in select(&document, "input[required]:not([hidden], [type=checkbox]), select[required]") {
            let label = format!("label[for='{}'] .badge.must", field.attr("id").unwrap());
            let marked = !select(&document, &label).is_empty();
            assert!(marked || bare.iter().any(|page| name.starts_with(page)), "{name}: {label}");
        }
    }
}

#[test]
fn no_text_is_left_over() {
    let files = [
        "templates",
        "templates/pages",
        "templates/pages/account",
        "templates/pages/device",
        "templates/admin",
    ];
    let templates: String = files
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    // Those whose names are put together, and those that a handler chooses.
    let chosen = [
        "error-",
        "scope-",
        "claim-",
        "category-",
        "steps-",
        "frame-language-",
        "account-part-",
        "account-link-",
        "account-event-",
        "account-language-",
        "account-more-gender-",
        "account-date",
        "mail-",
        "console-nav-",
        "console-role-",
        "console-own-",
        "clients-",
        "operators-",
        "dashboard-",
        "audit-",
        "members-",
        "queue-",
        "keys-",
        "papers-kind-",
        "webhooks-",
        "mails-",
        "deliveries-",
        "bounces-clear-",
        "roster-category-",
        "roster-field-",
        "roster-state-",
        "roster-about-",
        "roster-apply-text",
        "roster-discard-text",
        "roster-undo-text",
    ];
    let texts = [
        include_str!("../../templates/texts/desk.ja.ftl"),
        include_str!("../../templates/texts/pages.ja.ftl"),
        include_str!("../../templates/texts/account.ja.ftl"),
        include_str!("../../templates/texts/device.ja.ftl"),
        include_str!("../../templates/texts/recovery.ja.ftl"),
        include_str!("../../templates/texts/admin.ja.ftl"),
        include_str!("../../templates/texts/members.ja.ftl"),
        include_str!("../../templates/texts/rules.ja.ftl"),
    ];
    for line in texts.iter().flat_map(|text| text.lines()) {
        let Some((id, _)) =
            line.split_once(" = ").filter(|(id, _)| id.starts_with(|c: char| c.is_ascii_lowercase()))
        else {
            continue;
        };
        let by_handler =
            id.contains("-error-") || id.contains("-notice-") || chosen.iter().any(|c| id.starts_with(c));
        assert!(by_handler || templates.contains(&format!("\"{id}\"")), "nothing says {id}");
    }
}

/// `cargo test --lib gallery -- --ignored` writes the pages to `target/gallery`, to be looked at in a browser.
#[test]
#[ignore = "writes files for a person to look at"]
fn write_the_gallery() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    std::fs::create_dir_all(folder.join("assets/brand")).unwrap();
    for Picture { name, locale, html } in pictures() {
        for link in select(&Html::parse_document(&html), "link[href], script[src]") {
            let path = link.attr("href").or(link.attr("src")).unwrap();
            std::fs::write(folder.join(&path[1..]), assets::find(path).unwrap().bytes).unwrap();
        }
        std::fs::write(
            folder.join(format!("{name}.{locale}.html")),
            html.replace("\"&#x2f;assets", "\"assets"),
        )
        .unwrap();
    }
}
