//! The steps of those who forgot something, in a browser without JavaScript.

use reqwest::StatusCode;
use url::Url;

use super::{
    app::TestApp,
    http_browser::{HttpBrowser, Page},
    members::Someone,
};

/// 「パスワードをお忘れの方」, filled in and sent; the answer as it comes.
pub async fn send_password_form(page: &Page, login_id: &str, born: &str) -> Page {
    page.form("#forgot-password-form").set("login_id", login_id).set("birth_date", born).submit().await
}

/// 「ログインIDをお忘れの方」, filled in and sent; the answer as it comes.
pub async fn send_login_id_form(page: &Page, email: &str, born: &str) -> Page {
    page.form("#forgot-login-id-form").set("email", email).set("birth_date", born).submit().await
}

/// The new password on the page of the mailed link; the answer as it comes.
pub async fn renew(browser: &HttpBrowser, link: &Url, password: &str) -> Page {
    let page = browser.get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.form("#renew-form").set("password", password).submit().await
}

/// A link of recovery that is dead must not tell why.
pub async fn assert_dead(link: &Url) {
    let page = HttpBrowser::new().get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::GONE, "{}", page.text());
    assert_eq!(page.select("h1")[0].text, "このURLは使えません");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}

impl TestApp {
    /// Asks for a new password in a fresh browser; 「お手続きを受け付けました」 comes back.
    pub async fn forgot_password(&self, login_id: &str, born: &str) -> Page {
        let page = self.http_browser().get(&self.url("/recovery/password")).await;
        send_password_form(&page, login_id, born).await.follow_here().await
    }

    /// Asks for the login ID in a fresh browser; 「お手続きを受け付けました」 comes back.
    pub async fn forgot_login_id(&self, email: &str, born: &str) -> Page {
        let page = self.http_browser().get(&self.url("/recovery/login-id")).await;
        send_login_id_form(&page, email, born).await.follow_here().await
    }

    /// The link to a new password of someone who knows login ID and birth date.
    pub async fn password_link(&mut self, someone: &Someone) -> Url {
        self.forgot_password(someone.login_id, someone.born).await;
        self.mailbox.next_link(someone.email).await
    }
}
