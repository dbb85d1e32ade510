//! The session has ended.

use serde::Serialize;

use super::{
    parts::{ExternalUrl, Service},
    sample,
};
use crate::web::templates::Page;

/// Says that the member is logged out, and has relying parties told of it in frames.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedOut {
    /// Where the member may go back to.
    pub service: Option<Service>,
    /// Pages of relying parties that end the member's session there (Front-Channel Logout §2).
    pub frames: Vec<ExternalUrl>,
    /// Where to go once they have.
    pub onward: Option<ExternalUrl>,
}

impl Page for LoggedOut {
    const TEMPLATE: &'static str = "pages/logged_out.html";

    fn samples() -> Vec<Self> {
        let url = |text: &str| ExternalUrl::new(text).into_iter();
        let frames: Vec<_> = url("https://app.example.jp/frontchannel?iss=a&sid=\"b").collect();
        let plain = |service| Self { service, frames: Vec::new(), onward: None };
        vec![
            plain(None),
            plain(sample::service(sample::CLIENT)),
            plain(sample::service(sample::HOSTILE)),
            Self { service: None, frames: frames.clone(), onward: None },
            Self { service: None, frames, onward: url("https://app.example.jp/goodbye?state=\";'>").next() },
        ]
    }
}
