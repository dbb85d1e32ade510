//! The one key that is not in the database; every other secret of the provider is derived from it.

use std::{
    fmt,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};

use super::digest::{equal, hmac_sha256};
use crate::clock::Entropy;

/// Name of the key's file in its folder.
pub const FILE: &str = "master.key";

/// Salt of the extraction step (RFC 5869 §3.1); a new format of what is sealed would take a new one.
const SALT: &[u8] = b"kenpos-idp master key 1";
/// Bytes of the nonce and of the tag of AES-256-GCM (NIST SP 800-38D §5.2.1).
const NONCE: usize = 12;
const TAG: usize = 16;

/// 256 secret bits, as they were extracted (RFC 5869 §2.2); cheap to clone, wiped from memory with the last
/// clone.
#[derive(Clone)]
pub struct MasterKey(Arc<SecretBox<[u8; 32]>>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

/// Why the master key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file system refused.
    #[error("{path}: {error}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// Others on this machine can read the key.
    #[error("{path} has mode {mode:04o}: others can read the master key; set it to 0600")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The database was filled under a master key that is not here; another one would open nothing.
    #[error(
        "keys.directory: there is no {FILE} in {directory}, and the database has signing keys that were made under one; \
         name the folder that holds it, or put a copy there (see keys/README.md)"
    )]
    Elsewhere {
        /// The folder that was looked into.
        directory: PathBuf,
    },
    /// The file holds something else.
    #[error("{path} does not hold a master key: 43 characters of base64url that encode 32 bytes")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// A sealed value does not open: it was altered, moved, or sealed under another master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open with the master key: altered, moved, or sealed under another one")]
pub struct SealError;

impl MasterKey {
    /// The key of the folder, made there on the first start. The file appears complete or not at all,
    /// so processes that start together end with the same key.
    pub fn load_or_create(directory: &Path, entropy: &Entropy) -> Result<Self, MasterKeyError> {
        if let Some(key) = Self::load(directory)? {
            return Ok(key);
        }
        let path = directory.join(FILE);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| MasterKeyError::File { path: directory.to_owned(), error })?;
        create(directory, &path, entropy)
            .map_err(|error| MasterKeyError::File { path: path.clone(), error })?;
        let gone = || MasterKeyError::File { path: path.clone(), error: io::ErrorKind::NotFound.into() };
        read(&path)?.ok_or_else(gone)
    }

    /// The key of the folder, if there is one.
    pub fn load(directory: &Path) -> Result<Option<Self>, MasterKeyError> {
        read(&directory.join(FILE))
    }

    /// A key for tests and for `demo`, in memory alone.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Arc::new(SecretBox::new(Box::new(hmac_sha256(SALT, bytes.as_slice())))))
    }

    /// The key for one purpose: HKDF-SHA-256 with the purpose as its info (RFC 5869 §2). What is known
    /// of one purpose's key tells nothing about another's.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        // The first block of the expansion is all that 32 bytes take.
        let mut info = purpose.as_bytes().to_vec();
        info.push(1);
        hmac_sha256(self.0.expose_secret(), &info)
    }

    /// HMAC-SHA-256 under the key of the purpose.
    pub fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        hmac_sha256(Zeroizing::new(self.derive(purpose)).as_slice(), data)
    }

    /// [`MasterKey::mac`] as 43 characters of base64url.
    pub fn mac_base64url(&self, purpose: &str, data: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.mac(purpose, data))
    }

    /// `body.mac`: a text that is known as ours when it comes back, without looking it up.
    pub fn stamp(&self, purpose: &str, body: &str) -> String {
        format!("{body}.{}", self.mac_base64url(purpose, body.as_bytes()))
    }

    /// The body of a text that [`MasterKey::stamp`] gave for the same purpose; none for any other text.
    pub fn stamped<'a>(&self, purpose: &str, text: &'a str) -> Option<&'a str> {
        let (body, mac) = text.rsplit_once('.')?;
        let right = self.mac_base64url(purpose, body.as_bytes());
        equal(right.as_bytes(), mac.as_bytes()).then_some(body)
    }

    /// Encrypts under the key of the purpose: base64url of nonce, ciphertext and tag of AES-256-GCM.
    /// `aad` is where the value belongs, such as the primary key of its row; it opens nowhere else.
    /// Nonces are random, so a purpose is good for 2³² values (NIST SP 800-38D §8.3).
    ///
    /// # Panics
    /// When OpenSSL was built without AES-GCM or has no memory left.
    pub fn seal(&self, purpose: &str, aad: &str, plain: &[u8], entropy: &Entropy) -> String {
        let key = Zeroizing::new(self.derive(purpose));
        let nonce = entropy.bytes::<NONCE>();
        let mut tag = [0; TAG];
        let encrypted = encrypt_aead(
            Cipher::aes_256_gcm(),
            key.as_slice(),
            Some(&nonce),
            aad.as_bytes(),
            plain,
            &mut tag,
        );
        match encrypted {
            Ok(ciphertext) => BASE64_URL_SAFE_NO_PAD.encode([&nonce, ciphertext.as_slice(), &tag].concat()),
            Err(error) => panic!("OpenSSL does not encrypt with AES-256-GCM: {error}"),
        }
    }

    /// Decrypts what [`MasterKey::seal`] gave for the same purpose and `aad`.
    pub fn open(&self, purpose: &str, aad: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError)?;
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(SealError)?;
        let (ciphertext, tag) =
            rest.len().checked_sub(TAG).and_then(|at| rest.split_at_checked(at)).ok_or(SealError)?;
        let key = Zeroizing::new(self.derive(purpose));
        decrypt_aead(Cipher::aes_256_gcm(), key.as_slice(), Some(nonce), aad.as_bytes(), ciphertext, tag)
            .map_err(|_| SealError)
    }
}

/// The key in the file, if there is one.
fn read(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
    let failed = |error| MasterKeyError::File { path: path.to_owned(), error };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    let malformed = || MasterKeyError::Malformed { path: path.to_owned() };
    let mut text = Zeroizing::new(Vec::with_capacity(64));
    file.take(64).read_to_end(&mut text).map_err(failed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match BASE64_URL_SAFE_NO_PAD.decode_slice(text.trim_ascii_end(), bytes.as_mut_slice()) {
        Ok(32) => Ok(Some(MasterKey::from_bytes(*bytes))),
        _ => Err(malformed()),
    }
}

/// Writes a new key beside its place and links it there, which fails if there is one already: then the
/// other process's key holds.
fn create(directory: &Path, path: &Path, entropy: &Entropy) -> io::Result<()> {
    let draft = directory.join(format!(".{FILE}.{}", entropy.id()));
    let linked = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(format!("{}\n", entropy.secret()).as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    })();
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    // The new name itself must survive a power cut before anything is sealed under the key.
    fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
