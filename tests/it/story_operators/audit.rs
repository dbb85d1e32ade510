//! The audit in the console and on the command line.

use kenpos_idp::{
    cli::audit::{self, ExportArgs, VerifyArgs},
    operators::{Role, log::Format},
};
use reqwest::StatusCode;
use serde_json::Value;

use super::matrix::two_insurers;
use crate::support::{
    app::{Backend, DAY, TestApp, on_both_backends},
    http_browser::Page,
    members::HANAKO,
};

on_both_backends! {
    lines_are_found_exported_and_verified
    the_dashboard_counts_what_happened
}

async fn verify(app: &TestApp, tip: Option<&Value>) -> (bool, Value) {
    let tip = tip.map(|tip| {
        let (seq, hash) = tip["tip"].as_str().unwrap().split_once(':').unwrap();
        kenpos_idp::audit::chain::Tip { seq: seq.parse().unwrap(), hash: hash.to_owned() }
    });
    let mut out = Vec::new();
    let args = VerifyArgs { tip, operator: "root".to_owned(), json: true };
    let sound = audit::verify(app.app(), &args, &mut out).await.unwrap();
    (sound, serde_json::from_slice(&out).unwrap())
}

async fn lines_are_found_exported_and_verified(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = app.staff(Role::Auditor, None).await.browser(&app).await;
    app.app().operators.link_audit().await.unwrap();
    let page = browser.get(&app.url("/admin/audit")).await;
    assert!(page.select("#lines tbody tr").len() > 3, "{}", page.text());
    let found = page.form("#filter-form").set("action", "member.activated").submit().await;
    assert_eq!(found.status, StatusCode::OK);
    assert_eq!(found.select("#lines tbody tr").len(), 1, "{}", found.text());
    let none = found.form("#filter-form").set("insurer", "7132").set("actor", "cli:nobody").submit().await;
    assert_eq!(none.select("#none").len(), 1, "{}", none.text());
    let bad = browser.get(&app.url("/admin/audit?from=yesterday&actor=%00%27")).await;
    assert_eq!(bad.select("#from-error").len(), 1, "{}", bad.text());
    app.clock.advance(DAY);
    let later = app.staff(Role::Auditor, Some("7132")).await.browser(&app).await;
    let today = later.get(&app.url("/admin/audit?from=2026-11-24&to=2026-11-24")).await;
    let kinds = |page: &Page| {
        page.select("#lines td:nth-child(2)").into_iter().map(|cell| cell.text).collect::<String>()
    };
    assert!(!kinds(&today).contains("member.activated"), "{}", today.text());
    let before = later.get(&app.url("/admin/audit?to=2026-11-23")).await;
    assert!(kinds(&before).contains("member.activated"), "{}", before.text());

    let csv = before.form("#export-csv-form").submit().await;
    assert_eq!(csv.status, StatusCode::OK);
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"audit.csv\"");
    let rows: Vec<&str> = csv.body.lines().collect();
    assert!(rows[0].ends_with("at,id,actor,action,insurer,member_id,client_id,detail"), "{}", rows[0]);
    assert!(rows[1..].iter().all(|row| row.contains(",7132,")), "{}", csv.body);
    let json = before.form("#export-json-form").submit().await;
    let lines: Vec<Value> = json.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), rows.len() - 1);
    assert!(lines.iter().any(|line| line["action"] == "member.activated"), "{}", json.body);

    let sound = before.form("#verify-form").submit().await;
    assert_eq!(sound.select("#sound").len(), 1, "{}", sound.text());
    let (whole, noted) = verify(&app, None).await;
    assert!(whole && noted["tip"].as_str().unwrap().split(':').nth(1).unwrap().len() == 43, "{noted}");
    assert!(verify(&app, Some(&noted)).await.0);
    app.run("update audit set actor = 'system' where action = 'member.activated'").await;
    let (whole, found) = verify(&app, Some(&noted)).await;
    assert!(!whole && found["broken_at"].is_i64(), "{found}");
    let broken = before.form("#verify-form").submit().await;
    assert_eq!(broken.select("#broken").len(), 1, "{}", broken.text());
    app.finish().await;
}

async fn the_dashboard_counts_what_happened(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    crate::support::journey::log_in(&login, HANAKO.login_id, "wrong").await;
    let browser = app.staff(Role::Office, None).await.browser(&app).await;
    app.app().operators.link_audit().await.unwrap();
    let page = browser.get(&app.url("/admin")).await;
    let total = |id: &str| page.select(&format!("section[aria-labelledby={id}-name] .total"))[0].text.clone();
    assert_eq!((total("activations").as_str(), total("failures").as_str()), ("1", "1"), "{}", page.text());
    assert_eq!(page.select("svg[role=img]").len(), 4);
    let days = page.select("section[aria-labelledby=activations-name] tbody tr");
    assert_eq!(days.len(), 14);
    assert_eq!(days[13].text, "11/23 1");
    for queue in ["mails", "deliveries", "webhooks"] {
        assert_eq!(page.select(&format!("#{queue}-failed"))[0].text, "0");
    }
    app.finish().await;
}

#[tokio::test]
async fn who_works_for_one_insurer_sees_only_its_lines() {
    let app = two_insurers().await;
    let other = app.staff(Role::Auditor, Some("7133")).await.browser(&app).await;
    app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    app.app().operators.link_audit().await.unwrap();
    for query in ["", "?insurer=7132", "?insurer="] {
        let page = other.get(&app.url(&format!("/admin/audit{query}"))).await;
        assert!(page.text().contains("operator.signed_in"), "{}", page.text());
        for cell in page.select("#lines tbody td:nth-child(4)") {
            assert!(cell.text.starts_with("7133"), "{query}: {}", page.text());
        }
        let export = page.form("#export-json-form").submit().await;
        assert!(!export.body.contains("7132"), "{query}: {}", export.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_command_line_exports_to_a_new_file() {
    let app = TestApp::start(Backend::Embedded).await;
    app.staff(Role::Auditor, None).await;
    let folder = tempfile::tempdir().unwrap();
    let args = ExportArgs {
        file: folder.path().join("audit.csv"),
        format: Format::Csv,
        from: None,
        to: None,
        action: "operator.created".to_owned(),
        member: String::new(),
        insurer: String::new(),
        operator: "root".to_owned(),
    };
    let bytes = audit::export(app.app(), &args).await.unwrap();
    let text = std::fs::read_to_string(&args.file).unwrap();
    assert_eq!((text.len() as u64, text.lines().count()), (bytes, 2), "{text}");
    assert!(audit::export(app.app(), &args).await.is_err(), "it does not write over a file");
    assert_eq!(app.number("select count(*) from audit where action = 'audit.exported'").await, 1);
    app.finish().await;
}
