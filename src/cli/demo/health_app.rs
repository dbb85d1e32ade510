//! placeholder
use crate::clock::{Clock, Entropy};
use axum::Router;
use url::Url;
pub struct HealthApp;
impl HealthApp {
    pub fn new(_: Url, _: Url, _: String, _: String, _: Clock, _: Entropy) -> Self {
        Self
    }
    pub fn router(self) -> Router {
        Router::new()
    }
}
