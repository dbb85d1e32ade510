//! Whatever is typed at 資格照会 gets the message of its field and stays in its box.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    family::{Relative, SAKURA, inquire},
    http_browser::Page,
    members::Someone,
};

on_both_backends! {
    every_field_has_its_message_and_keeps_its_value
    every_width_and_calendar_is_understood
    who_is_too_young_hears_so_before_anything_is_looked_up
    a_megabyte_is_refused_politely
    an_insurer_number_is_asked_for_where_there_are_several
}

const HOSTILE: &[&str] = &[
    "😀",
    "９９９９９９９９９９９９",
    "a\u{0}b",
    "\u{7f}\u{1b}[31m",
    "\u{202e}12<b>",
    "' or '1'='1",
    "1; drop table member; --",
    "<script>alert(1)</script>\"'>",
    "{{ 7*7 }}",
    "一二三",
];

fn field_error(page: &Page, field: &str) -> Option<String> {
    page.select(&format!("#{field}-error")).first().map(|error| error.text.clone())
}

async fn every_field_has_its_message_and_keeps_its_value(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.with_families().await;
    let page = app.eligibility(&app.http_browser()).await;
    for (field, message, required) in [
        ("symbol", "記号は3桁までの数字で入力してください。", true),
        ("number", "番号は6桁までの数字で入力してください。", true),
        ("branch", "枝番は2桁までの数字で入力するか、空欄にしてください。", false),
        ("kana", "氏名はカタカナで入力してください。", true),
        ("birth_date", "日付は", true),
    ] {
        let long = "9".repeat(20_000);
        let mut typed: Vec<&str> = HOSTILE.to_vec();
        typed.push(&long);
        for typed in typed {
            let form = page.form("#eligibility-form").set("symbol", "91").set("number", "200001");
            let form = form.set("kana", SAKURA.someone.kana).set("birth_date", SAKURA.someone.born);
            let answer = form.set(field, typed).submit().await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {typed:?}");
            let error = field_error(&answer, field).unwrap_or_else(|| panic!("{field} {typed:?}"));
            let too_long = error.contains("長すぎます");
            assert!(error.contains(message) || too_long, "{field} {typed:?}: {error}");
            assert_eq!(answer.select(".error").len(), 1, "{field} {typed:?}: the others are fine");
            assert!(!answer.body.contains("<script>alert"), "{field}");
            // HTML parsers read a NUL as U+FFFD.
            let kept = answer.form("#eligibility-form").value(field).unwrap().replace('\u{fffd}', "\u{0}");
            assert_eq!(kept, typed, "{field} keeps what was typed");
        }
        let empty = page.form("#eligibility-form").set("symbol", "91").set("number", "200001");
        let empty = empty.set("kana", SAKURA.someone.kana).set("birth_date", SAKURA.someone.born);
        let answer = empty.set(field, " \u{3000}\u{200b}").submit().await;
        assert_eq!(field_error(&answer, field).is_some(), required, "an empty {field}");
    }
    let nothing = page.form("#eligibility-form").submit().await;
    assert_eq!(nothing.select(".error").len(), 4, "{}", nothing.text());
    app.finish().await;
}

async fn every_width_and_calendar_is_understood(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.with_families().await;
    let page = app.eligibility(&app.http_browser()).await;
    let open = async |relative: Relative| {
        let answer = inquire(&page, &relative).await;
        assert!(answer.url.path().ends_with("/documents"), "{relative:?}: {}", answer.text());
    };
    for (symbol, number, branch) in
        [("０９１", "２００００１", "０２"), ("091", " 200001", "2"), ("91\u{202d}", "200001\u{feff}", " ")]
    {
        open(Relative { symbol, number, branch, ..SAKURA }).await;
    }
    for kana in ["タケダ サクラ", "ﾀｹﾀﾞｻｸﾗ", "たけだ・さくら", "タケダ　サクラ"]
    {
        open(Relative { someone: Someone { kana, ..SAKURA.someone }, ..SAKURA }).await;
    }
    for born in ["20010403", "２００１－０４－０３", "2001/4/3", "2001年4月3日", "平成13年4月3日", "H13.4.3"]
    {
        open(Relative { someone: Someone { born, ..SAKURA.someone }, ..SAKURA }).await;
    }
    for (born, message) in [
        ("昭和64年1月8日", "その元号にその日付はありません"),
        ("平成31年5月1日", "その元号にその日付はありません"),
        ("令和元年4月30日", "その元号にその日付はありません"),
        ("2001年2月29日", "その日付は存在しません"),
        ("13年4月3日", "日付は「19990121」"),
    ] {
        let wrong = Relative { someone: Someone { born, ..SAKURA.someone }, ..SAKURA };
        let answer = inquire(&page, &wrong).await;
        let error = field_error(&answer, "birth_date").unwrap_or_else(|| panic!("{born}: {}", answer.text()));
        assert!(error.contains(message), "{born}: {error}");
    }
    // The last day of an era is as good as any: it is nobody's here.
    for born in ["昭和64年1月7日", "平成元年1月8日"] {
        let nobody = Relative { number: "300002", someone: Someone { born, ..SAKURA.someone }, ..SAKURA };
        let answer = inquire(&page, &nobody).await;
        assert!(answer.select(".error").is_empty() && answer.text().contains("確認できませんでした"));
    }
    app.finish().await;
}

async fn who_is_too_young_hears_so_before_anything_is_looked_up(backend: Backend) {
    let app = TestApp::start(backend).await;
    let page = app.eligibility(&app.http_browser()).await;
    // Kenta is in the roster, the other is nobody; both are told the same.
    for kana in ["タケダ ケンタ", "ダレカ サン"] {
        for born in ["平成31年1月15日", "2011-11-24", "2030-01-01"] {
            let young = Relative { someone: Someone { born, kana, ..SAKURA.someone }, ..SAKURA };
            let answer = inquire(&page, &young).await;
            assert!(field_error(&answer, "birth_date").unwrap().contains("15歳以上"), "{}", answer.text());
        }
    }
    let fifteen = Someone { born: "2011-11-23", ..SAKURA.someone };
    let answer = inquire(&page, &Relative { someone: fifteen, ..SAKURA }).await;
    assert_eq!(field_error(&answer, "birth_date"), None, "fifteen today: {}", answer.text());
    app.finish().await;
}

async fn a_megabyte_is_refused_politely(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let page = app.eligibility(&browser).await;
    for field in ["symbol", "number", "branch", "kana", "birth_date"] {
        let answer = page.form("#eligibility-form").set(field, &"あ".repeat(350_000)).submit().await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{field}");
        assert!(answer.text().contains("大きすぎます"), "{}", answer.text());
    }
    // Fields that are not there, there twice, or without the token.
    let csrf = page.form("#eligibility-form").value("csrf").unwrap().to_owned();
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let url = page.url.as_str();
    let bare = browser.raw(Method::POST, url, &form, &format!("csrf={csrf}")).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", bare.text());
    let twice = browser.raw(Method::POST, url, &form, &format!("csrf={csrf}&symbol=1&symbol=2")).await;
    assert!(twice.status.is_client_error(), "{}", twice.status);
    let forged = browser.raw(Method::POST, url, &form, "symbol=1").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    app.finish().await;
}

async fn an_insurer_number_is_asked_for_where_there_are_several(backend: Backend) {
    let app = TestApp::start_with(backend, |config| {
        let mut other = config.insurers[0].clone();
        (other.code, other.number) = ("8001".to_owned(), "01040013".to_owned());
        (other.symbol_digits, other.number_digits) = (4, 7);
        config.insurers.push(other);
    })
    .await;
    app.with_families().await;
    let page = app.eligibility(&app.http_browser()).await;
    let ask = async |number: &str| {
        let form = page.form("#eligibility-form").set("insurer_number", number).set("symbol", "91");
        let form = form.set("number", "200001").set("kana", SAKURA.someone.kana);
        form.set("birth_date", SAKURA.someone.born).submit().await.follow_here().await
    };
    for number in ["06139497", "０６１３９４９７", "0613-9497", "6139497"] {
        let answer = ask(number).await;
        assert!(answer.url.path().ends_with("/documents"), "{number}: {}", answer.text());
    }
    for (number, message) in [
        ("", "入力してください"),
        ("0613949", "8桁の数字"),
        ("06139498", "誤りがあります"),
        ("60139497", "誤りがあります"),
        ("33120015", "利用していません"),
        ("<b>", "8桁の数字"),
    ] {
        let answer = ask(number).await;
        let error = field_error(&answer, "insurer_number").unwrap_or_else(|| panic!("{}", answer.text()));
        assert!(error.contains(message), "{number}: {error}");
        assert_eq!(answer.form("#eligibility-form").value("insurer_number"), Some(number));
    }
    let elsewhere = ask("01040013").await;
    assert!(elsewhere.text().contains("確認できませんでした"), "the other insurer does not know her");
    app.finish().await;
}
