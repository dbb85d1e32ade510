//! Files that are none, and operators whose business a file is not.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;

use super::{HEADER, checked, counts, people, upload};
use crate::{
    story_operators::matrix::two_insurers,
    support::app::{Backend, TestApp, on_both_backends},
};

on_both_backends! {
    bad_files_are_refused_and_write_nothing
    bad_rows_are_named_by_line
}

async fn bad_files_are_refused_and_write_nothing(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let before = people(&app).await;
    let shift_jis_cut = [&encoding_rs::SHIFT_JIS.encode(HEADER).0[..7], b"\xff\xff,"].concat();
    for (what, content, text) in [
        ("nothing at all", &b""[..], "空のファイル"),
        ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ""),
        ("a spreadsheet", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\n\x00", ""),
        ("text", "こんにちは\n".as_bytes(), "見出しがありません"),
        ("no header", "91,1,一般被保険者,ヤマ,19990121\n".as_bytes(), "見出しがありません"),
        ("a misspelled column", "記号,番号,区分,氏名カナ,誕生日\n".as_bytes(), "5列目"),
        ("a column twice", "記号,番号,区分,氏名カナ,生年月日,番号\n".as_bytes(), "「番号」が2回"),
        (
            "a column missing",
            "記号,番号,区分,氏名カナ\n91,1,insured,ヤマ\n".as_bytes(),
            "「生年月日」がありません",
        ),
        ("another encoding", &shift_jis_cut, ""),
        ("UTF-16", b"\xff\xfe\x18\x8a\xf7\x53,\x00\n\x00", ""),
    ] {
        let page = upload(&app, &browser, true, content).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: {}", page.text());
        let error = &page.select("#file-error")[0].text;
        assert!(error.contains(text), "{what}: {error}");
        let form = page.form("#upload-form");
        assert_eq!((form.value("insurer"), form.value("full")), (Some("7132"), Some("yes")), "{what}");
    }
    // No file chosen, and no insurer.
    let form = browser.get(&app.url("/admin/roster/new")).await;
    let none = form.form("#upload-form").set("insurer", "7132").submit_with_file("file", "", b"").await;
    assert_eq!(none.select("#file-error").len(), 1, "{}", none.text());
    // Not even a form with a file.
    let plain = form.form("#upload-form").submit().await;
    assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{}", plain.text());
    for table in ["roster_import where state <> 'applied'", "roster_file", "roster_staging"] {
        assert_eq!(app.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(people(&app).await, before);
    app.finish().await;
}

async fn bad_rows_are_named_by_line(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let before = people(&app).await;
    let long = "ア".repeat(10_000_000 / 3);
    let header = "保険者番号,記号,番号,区分,氏名カナ,生年月日\n";
    let rows = [
        "06139497,91,300001,一般被保険者,アオガワ アキト,1970-01-01".to_owned(),
        "33120015,91,300002,一般被保険者,アオガワ ハルコ,1970-01-01".to_owned(),
        format!("06139497,91,300003,一般被保険者,{long},1970-01-01"),
        "06139497,91,300004,一般被保険者,=HYPERLINK(),1970-01-01".to_owned(),
        "06139497,091,300001,一般被保険者,ｱｵｶﾞﾜ ｱｷﾄ,S45.1.1".to_owned(),
        "06139497,91".to_owned(),
        "06139497,91,300005,一般被保険者,\"アオ,1970-01-01".to_owned(),
    ];
    let file = format!("\u{feff}{header}{}", rows.join("\r\n"));
    let page = checked(&app, &browser, false, file.as_bytes()).await;
    assert_eq!(counts(&page), ["1", "0", "0", "6"], "{}", page.text());
    let lines: Vec<String> =
        page.select("#refusals tbody td:nth-child(1)").into_iter().map(|cell| cell.text).collect();
    assert_eq!(lines, ["3", "4", "5", "6", "7", "8"]);
    let text = page.text();
    for reason in ["この保険者のものではありません", "65536バイトを超え", "2行目と同じ人です", "引用符"]
    {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    assert_eq!(people(&app).await, before);
    // Without a row that is right there is nothing to import.
    let page = checked(&app, &browser, false, format!("{header}{}\n", rows[1]).as_bytes()).await;
    assert_eq!((page.select("#problem").len(), page.select("#to-apply").len()), (1, 0), "{}", page.text());
    let page = checked(&app, &browser, false, header.as_bytes()).await;
    assert!(page.select("#problem")[0].text.contains("1行もありません"), "{}", page.text());
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let app =
        TestApp::start_with(Backend::Embedded, |config| config.roster.upload_limit_bytes = 100_000).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let file = format!("{HEADER}{}", "91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n".repeat(2_000));
    let page = upload(&app, &browser, false, file.as_bytes()).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", page.text());
    assert_eq!(page.select("#file-error").len(), 1, "{}", page.text());
    assert_eq!(app.number("select count(*) from roster_file").await, 0);
    // Larger than other forms may be is no matter.
    let file = format!("{HEADER}{}", "91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n".repeat(1_200));
    let page = upload(&app, &browser, false, file.as_bytes()).await;
    assert!(page.url.path().starts_with("/admin/roster/"), "{}", page.text());
    super::settled(page).await;
    app.finish().await;
}

#[tokio::test]
async fn a_roster_of_another_insurer_is_not_there() {
    let app = two_insurers().await;
    let own = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let other = app.staff(Role::Office, Some("7133")).await.browser(&app).await;
    let file = format!(
        "{HEADER}91,300001,一般被保険者,山,1970-01-01,\n91,300002,一般被保険者,アオガワ アキト,1970-01-01,\n"
    );
    let page = checked(&app, &own, false, file.as_bytes()).await;
    let path = page.url.path().to_owned();
    let form = other.get(&app.url("/admin/roster/new")).await;
    for end in ["", "/status", "/apply", "/discard", "/undo", "/nothing"] {
        let answer = other.get(&app.url(&format!("{path}{end}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{end}");
    }
    let fields = form.form("#upload-form");
    let body =
        format!("csrf={}&who={}&reason=x", fields.value("csrf").unwrap(), fields.value("who").unwrap());
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    for end in ["/refused", "/apply", "/discard", "/undo"] {
        let url = app.url(&format!("{path}{end}"));
        let answer = other.raw(reqwest::Method::POST, &url, &headers, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{end}");
    }
    assert_eq!(other.get(&app.url("/admin/roster")).await.select("#imports").len(), 0);
    // Nor can it be written to: the list does not offer it, and asking anyway finds nothing.
    let mut forged = form.clone();
    forged.body = forged.body.replace("value=\"7133\"", "value=\"7132\"");
    let answer = forged.form("#upload-form").submit_with_file("file", "x.csv", file.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text());
    assert_eq!(app.number("select count(*) from roster_import where state in ('applied', 'discarded') and actor like 'operator:%'").await, 0);
    app.finish().await;
}
