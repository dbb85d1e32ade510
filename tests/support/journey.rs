//! The steps of a first registration in a browser without JavaScript, each from the page where it begins to
//! the page where it leads. A redirect out of the provider comes back as it is.

use reqwest::StatusCode;
use url::Url;

use super::{
    app::TestApp,
    http_browser::{HttpBrowser, Page},
    members::Someone,
    relying_party::Attempt,
};

/// From the relying party to whatever the provider answers.
pub async fn set_out(browser: &HttpBrowser, attempt: &Attempt) -> Page {
    browser.get(attempt.url.as_str()).await.follow_here().await
}

/// 「パスワードを入力する」
pub async fn give_login_id(page: &Page, login_id: &str) -> Page {
    page.form("#login-id-form").set("login_id", login_id).submit().await.follow_here().await
}

/// 「ログインする」
pub async fn give_password(page: &Page, password: &str) -> Page {
    page.form("#password-form").set("password", password).submit().await.follow_here().await
}

/// Both steps of the login.
pub async fn log_in(page: &Page, login_id: &str, password: &str) -> Page {
    give_password(&give_login_id(page, login_id).await, password).await
}

/// 「基本設定ステップに進む」, both documents accepted.
pub async fn accept_documents(page: &Page) -> Page {
    page.form("#documents-form").set("privacy", "on").set("terms", "on").submit().await.follow_here().await
}

/// 「確認ステップに進む」
pub async fn give_details(page: &Page, someone: &Someone) -> Page {
    let form = page.form("#details-form").set("kana", someone.kana).set("password", someone.password);
    form.set("email", someone.email).submit().await.follow_here().await
}

/// 「メールを送信する」
pub async fn confirm(page: &Page) -> Page {
    page.form("#confirm-form").submit().await.follow_here().await
}

/// From the login page to 「メールを送信しました」.
pub async fn register(page: &Page, someone: &Someone) -> Page {
    let documents = log_in(page, someone.login_id, someone.born).await;
    let details = accept_documents(&documents).await;
    let sent = confirm(&give_details(&details, someone).await).await;
    assert!(sent.url.path().ends_with("/sent"), "not sent: {} {}", sent.url, sent.text());
    sent
}

/// The password on the page of the mailed link, and in the browser that started 「サービスに進む」.
pub async fn complete(browser: &HttpBrowser, link: &Url, password: &str) -> Page {
    let page = browser.get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let page = page.form("#link-form").set("password", password).submit().await.follow_here().await;
    if page.select("#done-form").is_empty() {
        return page;
    }
    page.form("#done-form").submit().await.follow_here().await
}

/// 「許可して進む」; gives the address of the relying party that follows.
pub async fn allow(page: &Page) -> Url {
    assert!(page.url.path().starts_with("/consent/"), "no consent page: {} {}", page.url, page.text());
    let back = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
    back.location().unwrap_or_else(|| panic!("no way back: {} {}", back.url, back.text()))
}

impl TestApp {
    /// Makes someone an active member, in a browser of their own that ends signed in.
    pub async fn activate(&mut self, someone: &Someone) -> HttpBrowser {
        let browser = self.http_browser();
        let login = browser.get(&self.url("/login")).await.follow_here().await;
        register(&login, someone).await;
        let link = self.mailbox.next_link(someone.email).await;
        let account = complete(&browser, &link, someone.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        self.mailbox.next(someone.email).await;
        browser
    }

    /// Marks an address as one that bounces.
    pub async fn mark_bounced(&self, email: &str) {
        let mark = self.app().members.outbox.mark_of(email);
        self.run(&format!(
            "insert into bounce (recipient_mac, id, insurer, recipient, kind, created_at)
             values ('{mark}', 'bounce', '7132', '***', 'password_changed', 1)"
        ))
        .await;
    }
}
