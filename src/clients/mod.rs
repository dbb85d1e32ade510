//! Relying parties: what they registered and what they may do.

pub mod cache;
pub mod client;
pub mod keys;
pub mod logos;
pub mod manage;
pub mod metadata;
pub mod redirect_uri;
pub mod registration;
pub mod rules;
pub mod secret;
pub mod sector;
pub mod values;
pub mod webhook;

pub use cache::ClientCache;
pub use client::Client;
pub use keys::{ClientKeys, ClientKeysError};
pub use logos::Logos;
pub use manage::Clients;
pub use metadata::Metadata;
pub use rules::{MetadataError, Supported};
pub use values::{
    AccessTokenFormat, ApplicationType, AssertionAlgorithm, AuthMethod, GrantType, GrantTypes, Hmac,
    ResponseTypes, Shown, SubjectType,
};
