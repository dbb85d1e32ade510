//! Relying parties: what they registered and what they may do.

pub mod client;
pub mod keys;
pub mod metadata;
pub mod redirect_uri;
pub mod registration;
pub mod rules;
pub mod secret;

pub use client::Client;
pub use keys::{ClientKeys, ClientKeysError};
pub use metadata::{
    AccessTokenFormat, ApplicationType, AssertionAlgorithm, AuthMethod, GrantType, GrantTypes, Hmac,
    Metadata, ResponseTypes, Shown, SubjectType,
};
pub use rules::{MetadataError, Supported};
