//! The operators' desk: documents, mails that wait, messages to other systems, webhooks, signing keys.

mod bounces;
mod keys;
mod losses;
mod queues;
mod texts;
mod webhooks;

use std::time::Duration;

use crate::support::{app::TestApp, http_browser::Page};

/// Waits until the database says so.
pub async fn until(app: &TestApp, statement: &str, expected: i64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while app.number(statement).await != expected {
        assert!(tokio::time::Instant::now() < deadline, "{statement} does not become {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Confirms the act of a page with a reason; where that leads.
async fn confirm(page: &Page) -> Page {
    page.form("#confirm-form").set("reason", "点検のため").submit().await.follow_here().await
}
