//! Recovery codes, shown once: the answer to the form that made them.

use serde::Serialize;

use crate::web::templates::Page;

/// The codes, to be printed or written down.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<String>,
    /// Where 「次へ」 leads.
    pub next: &'static str,
}

impl Page for RecoveryCodes {
    const TEMPLATE: &'static str = "admin/recovery_codes.html";

    fn samples() -> Vec<Self> {
        vec![Self { codes: vec!["ABCD-EFGH-2345-6789".to_owned(); 10], next: "/admin" }]
    }
}
