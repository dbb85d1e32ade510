//! Mails: what they say ([`message`], [`render`]), how they wait ([`outbox`]) and how they leave ([`smtp`]).
//!
//! A mail is written into the outbox in the transaction that it tells of, so neither exists without
//! the other, and answering a request never waits for a relay.

pub mod account;
pub mod address;
pub mod message;
pub mod operator;
pub mod outbox;
pub mod recovery;
pub mod render;
pub mod smtp;

pub use message::{Mail, MailKind};
pub use outbox::Outbox;
