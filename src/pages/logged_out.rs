//! The session has ended.

use serde::Serialize;

use super::{parts::Service, sample};
use crate::web::templates::Page;

/// Says that the member is logged out.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedOut {
    /// Where the member may go back to.
    pub service: Option<Service>,
}

impl Page for LoggedOut {
    const TEMPLATE: &'static str = "pages/logged_out.html";

    fn samples() -> Vec<Self> {
        vec![
            Self { service: None },
            Self { service: sample::service(sample::CLIENT) },
            Self { service: sample::service(sample::HOSTILE) },
        ]
    }
}
