//! The certificate that the server shows (TLS 1.2 and 1.3, the cipher suites of rustls), read again when its
//! files change.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, time};
use tokio_rustls::rustls::{
    self, ServerConfig,
    client::verify_server_name,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName,
        pem::{self, PemObject as _},
    },
    server::ParsedCertificate,
};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(5);

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why not.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{file} is no PEM file with {wanted}: {error}")]
    Malformed {
        /// The file.
        file: String,
        /// What should be in it.
        wanted: &'static str,
        /// What is wrong with it.
        error: pem::Error,
    },
    /// The certificate and the key do not go together, or cannot be used.
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate in use; clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    /// The files as they were last tried, and what the server shows.
    current: watch::Sender<(Files, Arc<ServerConfig>)>,
}

/// The contents of both files.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.0.certificate).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a PEM file with the certificate and those that lead to its authority, and one with its key.
    pub async fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files::read(certificate, key).await?;
        let config = files.config(certificate, key)?;
        let current = watch::Sender::new((files, Arc::new(config)));
        Ok(Self(Arc::new(Inner { certificate: certificate.to_owned(), key: key.to_owned(), current })))
    }

    /// What a new connection is shown.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current.borrow().1)
    }

    /// Looks at the files until `stop`. New connections are shown the new certificate; if it is broken, the
    /// one of before.
    pub async fn follow(self, stop: CancellationToken) {
        let mut told = String::new();
        while time::timeout(POLL, stop.cancelled()).await.is_err() {
            match self.refresh().await {
                Ok(true) => tracing::info!("the certificate changed and is shown from now on"),
                Ok(false) => {}
                Err(error) if error.to_string() == told => {}
                Err(error) => {
                    tracing::error!(%error, "the new certificate is not used; that of before is");
                    told = error.to_string();
                }
            }
        }
    }

    /// Reads the files again if they changed since they were last tried; whether the certificate is new.
    pub async fn refresh(&self) -> Result<bool, TlsError> {
        let Inner { certificate, key, current } = &*self.0;
        let files = Files::read(certificate, key).await?;
        if files == current.borrow().0 {
            return Ok(false);
        }
        let config = files.config(certificate, key);
        // A broken pair is remembered too: it is told of once, and tried again when it changes.
        current.send_modify(|current| current.0 = files);
        let config = Arc::new(config?);
        current.send_modify(|current| current.1 = config);
        Ok(true)
    }

    /// Whether the certificate, the first of `pem`, is for this host (RFC 9525 §6).
    pub fn names(pem: &[u8], host: &str) -> bool {
        let Ok(certificate) = CertificateDer::from_pem_slice(pem) else { return false };
        let Ok(certificate) = ParsedCertificate::try_from(&certificate) else { return false };
        // An IPv6 address stands in brackets in a URL.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        ServerName::try_from(host).is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    }
}

impl Files {
    async fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = async |file: &Path| {
            let unreadable = |error| TlsError::Unreadable { file: file.display().to_string(), error };
            tokio::fs::read(file).await.map_err(unreadable)
        };
        Ok(Self { certificate: read(certificate).await?, key: read(key).await? })
    }

    fn config(&self, certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
        let malformed = |file: &Path, wanted| {
            let file = file.display().to_string();
            move |error| TlsError::Malformed { file, wanted, error }
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(malformed(certificate, "certificates"))?;
        let private =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(malformed(key, "an unencrypted private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(folder: &Path, names: &[&str]) -> (PathBuf, PathBuf) {
        let made =
            rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let made = made.unwrap();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    }

    #[tokio::test]
    async fn a_broken_certificate_keeps_the_one_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = write(folder.path(), &["login.example.jp"]);
        let tls = Tls::load(&certificate, &key).await.unwrap();
        let first = tls.current();
        assert!(!tls.refresh().await.unwrap(), "nothing changed");
        let good = fs::read(&certificate).unwrap();
        fs::write(&certificate, "no certificate").unwrap();
        assert!(tls.refresh().await.is_err());
        assert!(!tls.refresh().await.unwrap(), "told once");
        fs::remove_file(&certificate).unwrap();
        assert!(tls.refresh().await.is_err());
        assert!(Arc::ptr_eq(&first, &tls.current()));
        // Only one of the two files is there yet: the pair does not fit.
        let other = tempfile::tempdir().unwrap();
        let (new_certificate, new_key) = write(other.path(), &["login.example.jp"]);
        fs::copy(new_certificate, &certificate).unwrap();
        assert!(matches!(tls.refresh().await, Err(TlsError::Unusable(_))));
        assert!(Arc::ptr_eq(&first, &tls.current()));
        fs::copy(new_key, &key).unwrap();
        assert!(tls.refresh().await.unwrap());
        assert!(!Arc::ptr_eq(&first, &tls.current()));
        fs::write(&certificate, good).unwrap();
        assert!(tls.refresh().await.is_err(), "the old certificate with the new key");
    }

    #[test]
    fn a_certificate_is_for_its_names_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, _) = write(folder.path(), &["login.example.jp", "*.kenpo.example", "127.0.0.1"]);
        let pem = fs::read(certificate).unwrap();
        for host in ["login.example.jp", "a.kenpo.example", "127.0.0.1"] {
            assert!(Tls::names(&pem, host), "{host}");
        }
        for host in ["example.jp", "a.b.kenpo.example", "127.0.0.2", "[::1]", ""] {
            assert!(!Tls::names(&pem, host), "{host}");
        }
        assert!(!Tls::names(b"", "login.example.jp"));
    }
}
