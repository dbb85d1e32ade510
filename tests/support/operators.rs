//! Operators of the console, ready to sign in.

use std::time::Duration;

use kenpos_idp::{
    audit::{Act, Actor, Reason},
    operators::{Role, manage::NewOperator},
    texts::Locale,
};
use totp_rs::Totp;

use super::{
    app::TestApp,
    browser::Browser,
    http_browser::{HttpBrowser, Page},
    log,
};

/// Password of every operator of the stories.
pub const PASSWORD: &str = "しろくまと海辺で7回踊る";
/// How long a code of a second factor lasts.
pub const STEP: Duration = Duration::from_secs(30);

/// An operator.
pub struct Staff {
    pub id: String,
    pub email: String,
    pub recovery_codes: Vec<String>,
    factor: Totp,
}

impl Staff {
    /// The code that the operator's phone shows.
    pub fn code(&self, app: &TestApp) -> String {
        code_of(app, &self.factor)
    }

    /// Signs in with a code that was not used yet; where that leads.
    pub async fn sign_in_with(&self, app: &TestApp, browser: &HttpBrowser) -> Page {
        app.clock.advance(STEP);
        give(&browser.get(&app.url("/admin/sign-in")).await, &self.email, PASSWORD, &self.code(app)).await
    }

    /// Signs in on a real browser with a code that was not used yet, and waits for the console.
    pub async fn sign_in_on(&self, app: &TestApp, browser: &Browser) {
        app.clock.advance(STEP);
        browser.open(&app.url("/admin/sign-in")).await;
        browser.fill("#email", &self.email).await;
        browser.fill("#password", PASSWORD).await;
        browser.fill("#code", &self.code(app)).await;
        browser.click("#sign-in").await;
        browser.wait_for("#nav-dashboard").await;
    }

    /// A browser in which the operator is signed in.
    pub async fn browser(&self, app: &TestApp) -> HttpBrowser {
        let browser = app.http_browser();
        let page = self.sign_in_with(app, &browser).await;
        assert_eq!(page.url.path(), "/admin", "{}", page.text());
        browser
    }
}

/// The code of a factor now.
pub fn code_of(app: &TestApp, factor: &Totp) -> String {
    let seconds = u64::try_from(app.clock.now().seconds()).unwrap();
    factor.generate(seconds).to_string()
}

/// Fills in the sign-in page.
pub async fn give(page: &Page, email: &str, password: &str, code: &str) -> Page {
    let form = page.form("#sign-in-form").set("email", email).set("password", password).set("code", code);
    form.submit().await.follow_here().await
}

impl TestApp {
    /// Adds an operator with password and second factor.
    pub async fn staff(&self, role: Role, insurer: Option<&str>) -> Staff {
        let (actor, reason) = (Actor::command_line("test"), Reason::parse("a story").unwrap());
        let email = format!("{}-{}@office.example", role.as_str(), insurer.unwrap_or("all"));
        log::keep_secret(&email);
        let new = NewOperator {
            email: email.clone(),
            name: format!("担当 {}", role.as_str()),
            role,
            insurer: insurer.map(str::to_owned),
            locale: Locale::Ja,
        };
        let act = Act { actor: &actor, reason: &reason };
        let operators = &self.app().operators;
        let (operator, ready) = operators.create_ready(&new, &PASSWORD.into(), act).await.unwrap().unwrap();
        let factor = Totp::from_url(&ready.totp_uri).unwrap();
        Staff { id: operator.id, email, recovery_codes: ready.recovery_codes, factor }
    }
}
