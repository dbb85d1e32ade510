//! Digests, the master key, password hashes, signing keys and tokens: all that touches OpenSSL and JOSE.

pub mod certificate;
pub mod digest;
pub mod jwe;
pub mod jwk;
pub mod jwt;
pub mod master_key;
pub mod password;
pub mod public_key;

pub use jwe::{ContentEncryption, JweError, KeyManagement};
pub use jwk::{Algorithm, KeyState, SigningKey};
pub use jwt::{JwtError, Keyring};
pub use master_key::{MasterKey, MasterKeyError, SealError};
pub use password::{Admission, PasswordError, Passwords};
pub use public_key::{ForeignJwt, JwkSet, JwkSetError, PublicKey};
