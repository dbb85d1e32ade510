//! Members in the console: the office finds people, sees what happened to them, and acts.

mod acts;
mod browser;
mod command_line;
mod export;
mod letter;
mod search;

use kenpos_idp::operators::Role;
use reqwest::StatusCode;

use crate::support::{
    app::TestApp,
    http_browser::{HttpBrowser, Page},
    members::Someone,
};

/// A browser in which an operator of this role is signed in.
async fn office(app: &TestApp, role: Role, insurer: Option<&str>) -> HttpBrowser {
    app.staff(role, insurer).await.browser(app).await
}

/// What a search answers; its address says nothing of what was typed.
async fn find(app: &TestApp, browser: &HttpBrowser, query: &str) -> Page {
    let page = browser.get(&app.url("/admin/members")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let sent = page.form("#search-form").set("query", query).submit().await;
    if sent.status == StatusCode::SEE_OTHER {
        let to = sent.location().unwrap();
        assert_eq!(to.path(), "/admin/members");
        assert_eq!(to.query().unwrap().len(), "search=".len() + 22, "{to}");
    }
    sent.follow_here().await
}

/// The names that a search found.
fn names(page: &Page) -> Vec<String> {
    page.select("#found tbody td:first-child").into_iter().map(|cell| cell.text).collect()
}

/// The page of somebody, found by login ID.
async fn member(app: &TestApp, browser: &HttpBrowser, someone: &Someone) -> Page {
    let page = find(app, browser, someone.login_id).await;
    // The number of an insured person finds the family too, the person first.
    assert!(!page.select("#found tbody tr").is_empty(), "{}", page.text());
    page.click("#found tbody tr:first-child a").await
}

/// Goes from the page of a member to an act, and does it with a reason.
async fn act(page: &Page, name: &str) -> Page {
    let confirm = page.click(&format!("#to-{name}")).await;
    assert_eq!(confirm.status, StatusCode::OK, "{name}: {}", confirm.text());
    confirm.form("#confirm-form").set("reason", "電話で本人確認済み").submit().await.follow_here().await
}

/// What happened, as the page of a member tells it, the newest first.
fn timeline(page: &Page) -> Vec<String> {
    page.select("#lines td:nth-child(2) code").into_iter().map(|cell| cell.text).collect()
}
