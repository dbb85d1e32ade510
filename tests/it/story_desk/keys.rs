//! Signing keys and documents in the console.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;
use serde_json::Value;

use super::confirm;
use crate::{
    story_operators::matrix::second_insurer,
    support::{
        app::{Backend, TestApp, on_both_backends},
        members::HANAKO,
    },
};

on_both_backends! {
    keys_are_rotated_and_withdrawn
    documents_are_shown_as_members_see_them
}

/// Key IDs of `/jwks`.
async fn published(app: &TestApp) -> Vec<String> {
    let page = app.http_browser().get(&app.url("/jwks")).await;
    let jwks: Value = serde_json::from_str(&page.body).unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn keys_are_rotated_and_withdrawn(backend: Backend) {
    let app = TestApp::start(backend).await;
    let administrator = app.staff(Role::Administrator, None).await.browser(&app).await;
    let list = administrator.get(&app.url("/admin/keys")).await;
    assert_eq!(list.select("#keys tbody tr").len(), 4, "{}", list.text());
    let done = confirm(&list.click("#rotate").await).await;
    assert_eq!(done.select("#keys tbody tr").len(), 6, "{}", done.text());
    assert_eq!(published(&app).await.len(), 6, "what was signed is still good");

    // Of each state one is withdrawn: it is gone at once, and there is always one that signs and one next.
    for state in ["退役", "署名中", "次"] {
        let list = administrator.get(&app.url("/admin/keys")).await;
        let rows = list.select("#keys tbody tr");
        let at = rows.iter().position(|row| row.text.contains(state)).unwrap();
        let link = list.select("#keys tbody a[href$=retire]")[at].attr("href").unwrap().to_owned();
        let kid = link.split('/').nth(3).unwrap().to_owned();
        assert!(published(&app).await.contains(&kid));
        let page = list.visit(&link).await;
        assert!(page.text().contains(&kid), "{}", page.text());
        let done = confirm(&page).await;
        assert_eq!(done.select("#notice").len(), 1, "{}", done.text());
        assert!(!published(&app).await.contains(&kid), "{state}");
        for state in ["active", "next"] {
            let count = format!("select count(*) from signing_key where state = '{state}'");
            assert_eq!(app.number(&count).await, 2);
        }
        assert_eq!(administrator.get(&app.url(&link)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(app.number("select count(*) from audit where action = 'key.retired'").await, 3);
    assert_eq!(app.number("select count(*) from audit where action = 'key.rotated'").await, 1);

    // The keys are those of every insurer: who works for one may look.
    let own = app.staff(Role::Administrator, Some("7132")).await.browser(&app).await;
    let seen = own.get(&app.url("/admin/keys")).await;
    assert!(seen.status == StatusCode::OK && seen.select("#rotate").is_empty(), "{}", seen.text());
    assert_eq!(own.get(&app.url("/admin/keys/rotate")).await.status, StatusCode::NOT_FOUND);
    let auditor = app.staff(Role::Auditor, None).await.browser(&app).await;
    assert_eq!(auditor.get(&app.url("/admin/keys")).await.status, StatusCode::OK);
    assert_eq!(auditor.get(&app.url("/admin/keys/rotate")).await.status, StatusCode::FORBIDDEN);
    app.finish().await;
}

async fn documents_are_shown_as_members_see_them(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.insurers.push(second_insurer())).await;
    app.activate(&HANAKO).await;
    let office = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let list = office.get(&app.url("/admin/documents")).await;
    assert_eq!(list.select("main section table").len(), 1, "{}", list.text());
    let accepted: Vec<String> =
        list.select("main tbody td:last-child").into_iter().map(|cell| cell.text).collect();
    assert_eq!(accepted, ["1", "1"], "{}", list.text());
    let href = list.select("main tbody a")[0].attr("href").unwrap().to_owned();
    let shown = list.visit(&href).await;
    let text = shown.text();
    assert!(text.contains("個人情報の取り扱いについて") && shown.select("#text-en").len() == 1, "{text}");
    for foreign in [
        "/admin/documents/7133/privacy/2026-11",
        "/admin/documents/7132/privacy/none",
        "/admin/documents/7132/x%00/1",
    ] {
        assert_eq!(office.get(&app.url(foreign)).await.status, StatusCode::NOT_FOUND, "{foreign}");
    }
    app.finish().await;
}
