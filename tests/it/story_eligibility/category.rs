//! From insured to voluntarily insured and back: same person, same account, another login ID.

use reqwest::StatusCode;

use super::{SCOPES, try_password};
use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    journey::{give_login_id, log_in},
    members::{HANAKO, ICHIRO, Someone},
    recovery::renew,
};

on_both_backends! {
    the_number_works_until_the_address_is_taken_as_login_id
    who_signs_in_with_the_address_has_taken_it
    from_voluntarily_insured_to_insured_the_address_works_until_the_number_is_taken
    without_an_account_nothing_of_before_opens
    a_number_that_is_given_again_is_its_new_holders
    without_a_key_a_change_of_category_makes_another_person
}

const HEADER: &str = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日,個人キー\n";
const INSURED: &str = "91,200001,00,一般被保険者,タケダ ハナコ,1999-01-01,2021-04-01,,S1\n";
const VOLUNTARY: &str = "900,100077,00,任意継続被保険者,タケダ ハナコ,1999-01-01,2026-11-01,,S1\n";

/// Hanako under her e-mail login ID.
const BY_ADDRESS: Someone = Someone { login_id: HANAKO.email, ..HANAKO };

async fn import(app: &TestApp, row: &str) {
    app.import_roster(&format!("{HEADER}{row}")).await;
}

async fn the_number_works_until_the_address_is_taken_as_login_id(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    import(&app, INSURED).await;
    let browser = app.activate(&HANAKO).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    let subject = app.userinfo(tokens.text("access_token")).await.text("sub").to_owned();

    import(&app, VOLUNTARY).await;
    assert!(app.is_signed_in(&browser).await, "nothing is interrupted");
    let page = try_password(&app, &HANAKO, HANAKO.password).await;
    assert!(page.url.path().ends_with("/new-login-id"), "{} {}", page.url, page.text());
    assert_eq!(page.select("#shown-login-id")[0].text, HANAKO.email);
    assert_eq!(page.select("h1")[0].text, "ログインIDが変わります");
    assert!(
        page.text().contains("新しいログインIDで一度ログインすると"),
        "what else switches: {}",
        page.text()
    );
    let account = page.form("#new-login-id-form").click("choice", "later").submit().await.follow_here().await;
    assert_eq!(account.url.path(), "/account");
    assert_eq!(account.select("#shown-category")[0].text, "任意継続被保険者");
    // The password can be forgotten under the number, too.
    let link = app.password_link(&HANAKO).await;
    let renewed = renew(&app.http_browser(), &link, HANAKO.password).await;
    assert_eq!(renewed.status, StatusCode::SEE_OTHER, "{}", renewed.text());
    app.mailbox.next(HANAKO.email).await;
    app.clock.advance(MINUTE);

    let page = try_password(&app, &HANAKO, HANAKO.password).await;
    let account = page.form("#new-login-id-form").click("choice", "take").submit().await.follow_here().await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    let by_number = try_password(&app, &HANAKO, HANAKO.password).await;
    assert_eq!(by_number.status, StatusCode::UNPROCESSABLE_ENTITY, "the number is nobody's now");
    let browser = app.signed_in(&BY_ADDRESS, HANAKO.password).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.text("sub"), subject);
    let told = "select count(*) from audit where action = 'member.login_id_changed'";
    assert_eq!(app.number(told).await, 1);
    app.finish().await;
}

async fn who_signs_in_with_the_address_has_taken_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    import(&app, INSURED).await;
    app.activate(&HANAKO).await;
    import(&app, VOLUNTARY).await;
    app.signed_in(&BY_ADDRESS, HANAKO.password).await;
    let by_number = try_password(&app, &HANAKO, HANAKO.password).await;
    assert_eq!(by_number.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The next file says the same again and changes nothing.
    import(&app, VOLUNTARY).await;
    app.signed_in(&BY_ADDRESS, HANAKO.password).await;
    app.finish().await;
}

async fn from_voluntarily_insured_to_insured_the_address_works_until_the_number_is_taken(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    import(&app, INSURED).await;
    app.activate(&HANAKO).await;
    import(&app, VOLUNTARY).await;
    app.signed_in(&BY_ADDRESS, HANAKO.password).await;
    app.clock.advance(MINUTE);

    let insured_again = INSURED.replace("200001", "300009");
    import(&app, &insured_again).await;
    let page = try_password(&app, &BY_ADDRESS, HANAKO.password).await;
    assert!(page.url.path().ends_with("/new-login-id"), "{} {}", page.url, page.text());
    assert_eq!(page.select("#shown-login-id")[0].text, "7132-091300009");
    page.form("#new-login-id-form").click("choice", "take").submit().await;
    let by_address = try_password(&app, &BY_ADDRESS, HANAKO.password).await;
    assert_eq!(by_address.status, StatusCode::UNPROCESSABLE_ENTITY);
    let by_number = Someone { login_id: "7132-091300009", ..HANAKO };
    let browser = app.signed_in(&by_number, HANAKO.password).await;
    assert_eq!(app.account(&browser, "").await.select("#shown-category")[0].text, "一般被保険者");
    assert_eq!(app.number("select count(*) from member").await, 1);
    // She has a password: the birth date opens nothing.
    let birth_date = try_password(&app, &by_number, HANAKO.born).await;
    assert_eq!(birth_date.status, StatusCode::UNPROCESSABLE_ENTITY);
    app.finish().await;
}

async fn without_an_account_nothing_of_before_opens(backend: Backend) {
    let app = TestApp::start(backend).await;
    import(&app, INSURED).await;
    import(&app, VOLUNTARY).await;
    let birth_date = try_password(&app, &HANAKO, HANAKO.born).await;
    assert_eq!(
        birth_date.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "who never registered does it by address"
    );
    app.finish().await;
}

async fn a_number_that_is_given_again_is_its_new_holders(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    import(&app, INSURED).await;
    app.activate(&HANAKO).await;
    import(&app, VOLUNTARY).await;
    let newcomer = "91,200001,00,一般被保険者,スズキ イチロウ,1980-05-05,2026-11-02,,S2\n";
    import(&app, newcomer).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let password = give_login_id(&login, HANAKO.login_id).await;
    let old = password.form("#password-form").set("password", HANAKO.password).submit().await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = log_in(&login, HANAKO.login_id, ICHIRO.born).await;
    assert!(new.url.path().ends_with("/documents"), "{}", new.text());
    app.signed_in(&BY_ADDRESS, HANAKO.password).await;
    app.finish().await;
}

/// Two people may have one name and one birth date, so without a key nobody is taken for somebody else.
async fn without_a_key_a_change_of_category_makes_another_person(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    app.clock.advance(MINUTE);
    let file = format!("{HEADER}{VOLUNTARY}").replace(",S1", ",");
    let report = app.import_roster_of("7132", &file, true).await;
    assert_eq!((report.counts.added, report.counts.changed, report.without_key), (1, 0, 1));
    let refused = try_password(&app, &HANAKO, HANAKO.password).await;
    assert_eq!(
        refused.status,
        StatusCode::FORBIDDEN,
        "the account from before stays with the person from before"
    );
    let twin = "select count(*) from roster_person where kana_folded in
                (select kana_folded from roster_person where category = 'voluntary')";
    assert_eq!(app.number(twin).await, 2);
    app.finish().await;
}
