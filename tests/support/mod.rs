//! What the stories of `tests/it` share.

pub mod browser;
pub mod http_browser;
