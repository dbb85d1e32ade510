//! `/logout`: really? (OpenID Connect RP-Initiated Logout §2)

use serde::Serialize;

use super::{parts::HiddenField, sample};
use crate::web::templates::Page;

/// Asks before the session ends. Posts the given fields to `/logout`.
#[derive(Clone, Debug, Serialize)]
pub struct Logout {
    /// Name of the relying party that asked.
    pub client: Option<String>,
    /// Parameters of the request to send along again.
    pub fields: Vec<HiddenField>,
}

impl Page for Logout {
    const TEMPLATE: &'static str = "pages/logout.html";

    fn samples() -> Vec<Self> {
        let state = |value: &str| HiddenField { name: "state".to_owned(), value: value.to_owned() };
        vec![
            Self { client: None, fields: vec![] },
            Self { client: Some(sample::CLIENT.to_owned()), fields: vec![state("af0ifjsldkj")] },
            Self { client: Some(sample::HOSTILE.to_owned()), fields: vec![state(sample::HOSTILE)] },
        ]
    }
}
