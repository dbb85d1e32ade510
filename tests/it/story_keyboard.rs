//! A first registration without a mouse, in a real browser.

use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
    members::HANAKO,
};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const END: &str = "\u{e010}";
const DOWN: &str = "\u{e015}";
const SPACE: &str = " ";

/// Tabs until `css` has the focus. On the way everything that gets it can be seen to have it, and nothing holds
/// it back (WCAG 2.2, 2.1.2, 2.4.7, 2.4.11).
async fn reach(browser: &Browser, css: &str) {
    browser.wait_for(css).await;
    let look = "const here = document.activeElement, style = getComputedStyle(here);
        const box = here.getBoundingClientRect();
        const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        return here === document.body ? '' : ring && inside ? 'seen' : here.outerHTML;";
    let there = format!("return document.activeElement.matches({css:?})");
    for _ in 0..40 {
        if browser.script(&there).await == true {
            return;
        }
        browser.press(TAB).await;
        let seen = browser.script(look).await;
        assert!(seen == "seen" || seen == "", "the focus cannot be seen on {seen}");
    }
    panic!("{css} cannot be reached on {}", browser.url().await);
}

/// Waits for the list of errors to have the focus.
async fn told_of_errors(browser: &Browser) {
    browser.wait_for("#errors:focus").await;
    assert!(browser.script("return document.title.startsWith('エラー:')").await == true);
}

/// The first thing to reach is the way past everything that stands on every page.
async fn skip(browser: &Browser) {
    browser.press(TAB).await;
    browser.wait_for("#skip:focus").await;
    browser.press(ENTER).await;
    browser.wait_for("#content:focus").await;
    browser.press(TAB).await;
    let inside = "return document.querySelector('main').contains(document.activeElement) \
                  && document.activeElement !== document.querySelector('main')";
    assert_eq!(browser.script(inside).await, true);
}

/// Login ID and temporary password, each wrong at first.
async fn log_in(browser: &Browser) {
    browser.wait_for("#login_id:focus").await;
    browser.press("7132").await;
    browser.press(ENTER).await;
    browser.wait_for("#login_id[aria-invalid=true]:focus").await;
    browser.script("document.activeElement.select()").await;
    browser.press(HANAKO.login_id).await;
    browser.press(ENTER).await;
    browser.wait_for("#password:focus").await;
    browser.press("19990102").await;
    browser.press(ENTER).await;
    told_of_errors(browser).await;
    reach(browser, "#password").await;
    browser.press(HANAKO.born).await;
    reach(browser, "#reveal").await;
    browser.press(SPACE).await;
    browser.wait_for("#password[type=text]:focus").await;
    reach(browser, "#login").await;
    browser.press(SPACE).await;
}

async fn accept(browser: &Browser) {
    // The box waits for the end of the text, which arrows and End lead to.
    reach(browser, "#privacy-text").await;
    browser.press(DOWN).await;
    browser.press(END).await;
    browser.wait_for("#privacy:enabled").await;
    reach(browser, "#next").await;
    browser.press(ENTER).await;
    told_of_errors(browser).await;
    // The list leads to the field.
    reach(browser, "#errors a").await;
    browser.press(ENTER).await;
    // … or, while the field waits for the end of its text, to the text.
    browser.wait_for("#privacy-text:focus").await;
    browser.press(END).await;
    browser.wait_for("#privacy:enabled").await;
    reach(browser, "#privacy").await;
    browser.press(SPACE).await;
    reach(browser, "#terms").await;
    browser.press(SPACE).await;
    reach(browser, "#next").await;
    browser.press(ENTER).await;
}

async fn give_details(browser: &Browser) {
    reach(browser, "#kana").await;
    browser.press(HANAKO.kana).await;
    browser.press(TAB).await;
    browser.press(HANAKO.password).await;
    reach(browser, "#email").await;
    browser.press("hanako").await;
    browser.press(ENTER).await;
    told_of_errors(browser).await;
    reach(browser, "#errors a[href='#email']").await;
    browser.press(ENTER).await;
    browser.wait_for("#email:focus").await;
    browser.press(END).await;
    browser.press(HANAKO.email.trim_start_matches("hanako")).await;
    // What was typed is still there, but for the password.
    assert_eq!(browser.script("return document.querySelector('#kana').value").await, HANAKO.kana);
    browser.script("document.querySelector('#kana').focus()").await;
    reach(browser, "#password").await;
    browser.press(HANAKO.password).await;
    reach(browser, "#next").await;
    browser.press(ENTER).await;
    reach(browser, "#send").await;
    browser.press(ENTER).await;
    browser.wait_for("#deadline").await;
}

#[tokio::test]
async fn the_whole_registration_needs_no_mouse() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = Browser::desktop().await;
    browser.open(&app.url("/registration")).await;
    skip(&browser).await;
    browser.open(&app.url("/login")).await;
    log_in(&browser).await;
    accept(&browser).await;
    give_details(&browser).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    browser.open(link.as_str()).await;
    browser.wait_for("#password:focus").await;
    browser.press(HANAKO.password).await;
    browser.press(ENTER).await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    app.mailbox.next(HANAKO.email).await;
    browser.close().await;
    app.finish().await;
}
