//! A QR code as the path of an SVG picture.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;

/// Modules of white around the code (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;

/// A picture of square modules.
#[derive(Clone, Debug, Serialize)]
pub struct Qr {
    /// Modules of a side, with the white around.
    pub size: i32,
    /// The dark modules.
    pub path: String,
}

impl Qr {
    /// The code of a text; none if it is too long for one.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET).ok()?;
            }
        }
        Some(Self { size: code.size() + 2 * QUIET, path })
    }
}
