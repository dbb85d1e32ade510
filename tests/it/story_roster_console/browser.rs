//! A roster is imported in a real browser, on a desk and on a phone. A screenshot of each page is left in
//! `target/test-artefacts`.

use std::io::Write as _;

use kenpos_idp::operators::Role;

use super::HEADER;
use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
};

async fn keep(browser: &Browser, name: &str) {
    browser.keep(&format!("roster-{name}")).await;
}

#[tokio::test]
async fn an_operator_imports_a_roster_and_undoes_it() {
    let app = TestApp::start(Backend::Embedded).await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let mut file = tempfile::Builder::new().prefix("daicho").suffix(".csv").tempfile().unwrap();
    let rows = "123,4567,一般被保険者,スズキ イチロウ,S55.5.5,\n91,200001,一般被保険者,サトウ ハナコ,1999-01-01,\n\
                91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n91,300002,一般被保険者,山,1970-01-01,\n";
    write!(file, "{HEADER}{rows}").unwrap();
    for (browser, suffix) in [(Browser::desktop().await, ""), (Browser::phone().await, "-phone")] {
        staff.sign_in_on(&app, &browser).await;
        browser.click("#nav-roster").await;
        browser.wait_for("#upload").await;
        keep(&browser, &format!("list{suffix}")).await;
        browser.click("#upload").await;
        browser.wait_for("#file").await.send_keys(file.path().to_str().unwrap()).await.unwrap();
        keep(&browser, &format!("new{suffix}")).await;
        browser.click("#send").await;
        // The page goes on by itself.
        browser.wait_for("#to-apply").await;
        keep(&browser, &format!("ready{suffix}")).await;
        assert_eq!(browser.text("#count-refused").await, "1");
        let fetched = "return (async () => {
            const form = document.getElementById('refused-form');
            const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
            return answer.headers.get('content-disposition') + await answer.text();
        })();";
        let fetched = browser.script(fetched).await;
        let fetched = fetched.as_str().unwrap();
        assert!(fetched.starts_with("attachment") && fetched.contains("5,氏名カナは"), "{fetched}");
        browser.click("#to-apply").await;
        browser.wait_for("#confirm-form").await;
        keep(&browser, &format!("apply{suffix}")).await;
        browser.fill("#reason", "月次の取り込み").await;
        browser.click("#confirm").await;
        browser.wait_for("#to-undo").await;
        keep(&browser, &format!("applied{suffix}")).await;
        browser.click("#to-undo").await;
        browser.wait_for("#confirm-form").await;
        keep(&browser, &format!("undo{suffix}")).await;
        browser.fill("#reason", "取り違え").await;
        browser.click("#confirm").await;
        browser.wait_for("#undo-removed").await;
        keep(&browser, &format!("undone{suffix}")).await;
        browser.close().await;
    }
    app.finish().await;
}
