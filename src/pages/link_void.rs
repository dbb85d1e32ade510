//! The mailed link, when it is expired, used, unknown or was tried too often, or the roster has changed.

use serde::Serialize;

use crate::web::templates::Page;

/// Says so and offers to start again. One page for all reasons, as which of them it is concerns nobody else.
#[derive(Clone, Debug, Serialize)]
pub struct LinkVoid {
    /// Instead, the roster has ended or changed the person in the meantime; only the holder of the password
    /// is told.
    pub lapsed: bool,
    /// How long such links work, in words.
    pub life: String,
    /// Path of the page that starts again.
    pub restart: String,
}

impl Page for LinkVoid {
    const TEMPLATE: &'static str = "pages/link_void.html";

    fn samples() -> Vec<Self> {
        let void = Self { lapsed: false, life: "24時間".to_owned(), restart: "/login".to_owned() };
        let lapsed = Self { lapsed: true, restart: "/registration".to_owned(), ..void.clone() };
        vec![void, lapsed]
    }
}
