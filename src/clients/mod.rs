//! Relying parties: what they registered and what they may do.

pub mod client;
pub mod redirect_uri;
pub mod secret;

pub use client::{ApplicationType, AuthMethod, Client, Metadata, MetadataError, SubjectType};
