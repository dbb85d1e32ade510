//! The plumbing between a request and a handler.

pub mod assets;
pub mod client_ip;
pub mod colour;
pub mod connection;
pub mod cookies;
pub mod csrf;
pub mod deadline;
pub mod error_page;
pub mod file_form;
pub mod form;
pub mod headers;
pub mod hosts;
pub mod language;
pub mod logos;
pub mod page_error;
pub mod templates;
pub mod tls;
pub mod trace;
pub mod visit;

pub use form::{PageForm, Posted};
pub use page_error::PageError;
pub use visit::Visit;
