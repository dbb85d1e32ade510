//! `/admin/audit/verify`: whether the chain of the audit is whole.

use axum::response::Response;
use serde::Serialize;

use super::{guard::OperatorForm, sign_in::Nothing};
use crate::web::{PageError, templates::Page};

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Lines that were looked at.
    pub lines: i64,
    /// The end of the chain, to be noted: `NUMBER:HASH`.
    pub tip: String,
    /// Number of the first line that is missing or changed.
    pub broken_at: Option<i64>,
}

impl Page for Verified {
    const TEMPLATE: &'static str = "admin/audit_verified.html";

    fn samples() -> Vec<Self> {
        let sound = Self { lines: 120_345, tip: format!("120345:{}", "A".repeat(43)), broken_at: None };
        vec![Self { broken_at: Some(17), ..sound.clone() }, sound]
    }
}

/// POST `/admin/audit/verify`
pub async fn post(OperatorForm(operator, _): OperatorForm<Nothing>) -> Result<Response, PageError> {
    let verdict = operator.app().operators.verify_audit(&operator.actor, None).await?;
    let tip = format!("{}:{}", verdict.tip.seq, verdict.tip.hash);
    let page = Verified { lines: verdict.lines, tip, broken_at: verdict.broken_at };
    Ok(operator.show(&page).render()?)
}
