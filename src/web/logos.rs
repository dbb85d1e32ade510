//! Logos of insurers: read once at the start, served from memory.

use std::{collections::BTreeMap, fs, path::PathBuf};

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::PageError;
use crate::{app::App, config::Insurer};

/// A logo of more bytes would hold members up on a phone.
const MOST_BYTES: usize = 256 * 1024;
/// Its name does not tell when it was changed.
const FOR_A_DAY: &str = "public, max-age=86400";
/// An SVG file may hold anything; opened by itself it runs nothing and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// A logo cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// The file cannot be read.
    #[error("insurer {insurer}: the logo {path} cannot be read: {source}")]
    File {
        /// Portal code.
        insurer: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is something else, or too large.
    #[error("insurer {insurer}: the logo {path} must be a PNG or SVG file of at most 256 KiB")]
    Unusable {
        /// Portal code.
        insurer: String,
        /// The file.
        path: PathBuf,
    },
}

/// The logos, by portal code.
#[derive(Debug, Default)]
pub struct Logos(BTreeMap<String, Logo>);

#[derive(Debug)]
struct Logo {
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl Logos {
    /// Reads the logos of the insurers that have one.
    pub fn read(insurers: &[Insurer]) -> Result<Self, LogoError> {
        let mut logos = BTreeMap::new();
        for insurer in insurers {
            let Some(path) = &insurer.logo else { continue };
            let bytes = fs::read(path).map_err(|source| LogoError::File {
                insurer: insurer.code.clone(),
                path: path.clone(),
                source,
            })?;
            let content_type = content_type(&bytes)
                .ok_or_else(|| LogoError::Unusable { insurer: insurer.code.clone(), path: path.clone() })?;
            logos.insert(insurer.code.clone(), Logo { content_type, bytes });
        }
        Ok(Self(logos))
    }
}

/// What the file is, by its first bytes and not by its name.
fn content_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    // PNG specification §5.2.
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let begins = text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg");
    begins.then_some("image/svg+xml")
}

/// Path of an insurer's logo.
pub fn path_of(insurer: &Insurer) -> Option<String> {
    insurer.logo.as_ref().map(|_| format!("/assets/logo/{}", insurer.code))
}

/// GET `/assets/logo/{code}`
pub async fn get(State(app): State<App>, Path(code): Path<String>) -> Response {
    let Some(logo) = app.logos.0.get(&code) else {
        return PageError::status(StatusCode::NOT_FOUND).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, logo.content_type),
        (header::CACHE_CONTROL, FOR_A_DAY),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, logo.bytes.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_logos() {
        assert_eq!(content_type(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(content_type(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), Some("image/svg+xml"));
        assert_eq!(content_type("\u{feff}<?xml version=\"1.0\"?>\n<svg/>".as_bytes()), Some("image/svg+xml"));
        for other in [&b""[..], b"<html><svg>", b"GIF89a", b"\xff\xd8\xff", b"<?xml?><html/>"] {
            assert_eq!(content_type(other), None);
        }
        let large = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; MOST_BYTES]].concat();
        assert_eq!(content_type(&large), None);
    }

    #[test]
    fn a_logo_that_is_missing_is_told_by_its_path() {
        let insurer = Insurer { logo: Some("/nowhere/a.png".into()), ..Insurer::default() };
        let error = Logos::read(&[insurer]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/a.png"), "{error}");
    }
}
