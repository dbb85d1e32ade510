//! `demo`: everything at once, on this machine.

pub mod health_app;
pub mod mailbox;
pub mod received;
pub mod smtp_server;
pub mod smtp_wire;
