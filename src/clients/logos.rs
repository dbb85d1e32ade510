//! The logos of clients, fetched by us and shown from our own origin: the client's server never learns who
//! signs in, pages need no foreign image source, and what is shown was looked at.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::{Clock, Timestamp},
    egress::{Egress, EgressError, Policy, Slots},
};

/// Raster images alone: an SVG is a document, with scripts and links.
const POLICY: Policy =
    Policy { max_bytes: 100 * 1024, content_types: &["image/png", "image/jpeg", "image/gif", "image/webp"] };
/// How long a logo is kept, and how long one that could not be had is not asked for again.
const KEPT: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(60);
/// Logos that are kept at most.
const MOST: usize = 200;

/// A logo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// One of the four content types.
    pub content_type: String,
    /// The image.
    pub bytes: Vec<u8>,
}

/// The logos of clients; clones share what was fetched.
#[derive(Clone, Debug)]
pub struct Logos {
    egress: Egress,
    clock: Clock,
    slots: Slots<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    logo: Option<Arc<Logo>>,
    /// When it is asked for again.
    next: Timestamp,
}

impl Logos {
    /// Logos that are fetched through the guarded way out.
    pub fn new(egress: Egress, clock: Clock) -> Self {
        Self { egress, clock, slots: Slots::new(MOST) }
    }

    /// The logo at a `logo_uri`, if there is one that can be shown.
    pub async fn find(&self, url: &str) -> Option<Arc<Logo>> {
        let slot = self.slots.of(url);
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if now >= slot.next {
            let fetched = self.fetch(url).await;
            if let Err(error) = &fetched {
                tracing::info!(%error, "the logo of a client could not be had");
            }
            slot.next = now.plus(if fetched.is_ok() { KEPT } else { PAUSE });
            // One that was there is shown until there is another.
            slot.logo = fetched.ok().map(Arc::new).or(slot.logo.take());
        }
        slot.logo.clone()
    }

    async fn fetch(&self, url: &str) -> Result<Logo, EgressError> {
        let fetched = self.egress.fetch(url, &POLICY).await?;
        if !is_image(&fetched.content_type, &fetched.body) {
            return Err(EgressError::Answer("is not the image that its content type says"));
        }
        Ok(Logo { content_type: fetched.content_type, bytes: fetched.body })
    }
}

/// Whether the content begins as an image of the type does.
fn is_image(content_type: &str, bytes: &[u8]) -> bool {
    match content_type {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/gif" => bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_what_it_says() {
        assert!(is_image("image/png", b"\x89PNG\r\n\x1a\n..."));
        assert!(is_image("image/jpeg", b"\xff\xd8\xff\xe0"));
        assert!(is_image("image/gif", b"GIF89a"));
        assert!(is_image("image/webp", b"RIFF....WEBPVP8 "));
        for (kind, bytes) in [
            ("image/png", b"<script>" as &[u8]),
            ("image/png", b"GIF89a"),
            ("image/webp", b"RIFF"),
            ("image/svg+xml", b"<svg>"),
            ("text/html", b"\x89PNG\r\n\x1a\n"),
        ] {
            assert!(!is_image(kind, bytes), "{kind}");
        }
    }
}
