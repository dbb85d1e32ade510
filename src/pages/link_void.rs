//! The mailed link, when it is expired, used or unknown.

use serde::Serialize;

use crate::web::templates::Page;

/// Says so and offers to start again. One page for all three, as which of them it is concerns nobody else.
#[derive(Clone, Debug, Serialize)]
pub struct LinkVoid {
    /// Path of the page that starts again.
    pub restart: String,
}

impl Page for LinkVoid {
    const TEMPLATE: &'static str = "pages/link_void.html";

    fn samples() -> Vec<Self> {
        vec![Self { restart: "/login".to_owned() }]
    }
}
