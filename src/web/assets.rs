//! The stylesheet, the script and the icon of the pages, and the colours of an insurer as a stylesheet.
//!
//! Everything comes from this origin, because the pages forbid inline style and script and ask no other
//! host for anything. The name of a file carries a hash of its content, so it may be cached for ever.

use std::{borrow::Cow, sync::LazyLock};

use super::colour::Colour;

/// For files whose name changes with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For the colours: their name does not tell which release mixed them.
const FOR_A_DAY: &str = "public, max-age=86400";

/// A file as it is served.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Path of the URL.
    pub path: Cow<'static, str>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// The content.
    pub bytes: Cow<'static, [u8]>,
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    hashed("style", "css", "text/css; charset=utf-8", include_bytes!("../../templates/assets/style.css"))
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    hashed("page", "js", "text/javascript; charset=utf-8", include_bytes!("../../templates/assets/page.js"))
});
static CHECK_SESSION: LazyLock<Asset> = LazyLock::new(|| {
    let script = include_bytes!("../../templates/assets/check_session.js");
    hashed("check_session", "js", "text/javascript; charset=utf-8", script)
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    hashed("icon", "svg", "image/svg+xml", include_bytes!("../../templates/assets/icon.svg"))
});

/// Path of the stylesheet.
pub fn style_path() -> &'static str {
    &STYLE.path
}

/// Path of the script.
pub fn script_path() -> &'static str {
    &SCRIPT.path
}

/// Path of the script of `check_session_iframe`.
pub fn check_session_path() -> &'static str {
    &CHECK_SESSION.path
}

/// Path of the icon.
pub fn icon_path() -> &'static str {
    &ICON.path
}

/// Path of the stylesheet with the colours made from `colour` (`#rrggbb`); one that cannot be read gives
/// the colour of the service.
pub fn brand_path(colour: &str) -> String {
    let colour = colour.strip_prefix('#').and_then(Colour::from_hex).unwrap_or(Colour::SERVICE);
    format!("/assets/brand/{}.css", colour.hex())
}

/// The file at a path such as `/assets/style.0123456789abcdef.css` or `/assets/brand/0a6b5d.css`.
pub fn find(path: &str) -> Option<Asset> {
    if let Some(hex) = path.strip_prefix("/assets/brand/").and_then(|file| file.strip_suffix(".css")) {
        // One spelling, so that caches hold one copy.
        let colour = Colour::from_hex(hex).filter(|colour| colour.hex() == hex)?;
        return Some(Asset {
            path: Cow::Owned(path.to_owned()),
            content_type: "text/css; charset=utf-8",
            cache_control: FOR_A_DAY,
            bytes: Cow::Owned(colour.stylesheet().into_bytes()),
        });
    }
    [&*STYLE, &*SCRIPT, &*CHECK_SESSION, &*ICON].into_iter().find(|asset| asset.path == path).cloned()
}

fn hashed(stem: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset {
        path: Cow::Owned(format!("/assets/{stem}.{:016x}.{extension}", fnv1a(bytes))),
        content_type,
        cache_control: FOR_EVER,
        bytes: Cow::Borrowed(bytes),
    }
}

/// FNV-1a with 64 bits: tells one release's file from another's, the same on every node; not a safeguard.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the FNV specification, draft-eastlake-fnv §C.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn files_are_found_under_their_hash_alone() {
        for path in [style_path(), script_path(), check_session_path(), icon_path()] {
            let asset = find(path).unwrap();
            assert_eq!(asset.path, path);
            assert_eq!(asset.cache_control, FOR_EVER);
            assert!(!asset.bytes.is_empty());
        }
        assert!(find("/assets/style.css").is_none());
        assert!(find("/assets/style.0000000000000000.css").is_none());
        assert!(find("/assets/").is_none());
    }

    #[test]
    fn a_brand_has_one_spelling_and_no_other() {
        assert_eq!(brand_path("#0A6B5D"), "/assets/brand/0a6b5d.css");
        assert_eq!(brand_path("red;}"), brand_path("#0a6b5d"));
        assert!(find("/assets/brand/0a6b5d.css").is_some());
        for wrong in ["0A6B5D", "0a6b5", "0a6b5dd", "+a6b5d", "0a6b5g", "", "../style", "あい"] {
            assert!(find(&format!("/assets/brand/{wrong}.css")).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_script_and_the_stylesheet_ask_no_other_host() {
        for asset in [&*STYLE, &*SCRIPT, &*CHECK_SESSION] {
            let text = std::str::from_utf8(&asset.bytes).unwrap();
            assert!(!text.contains("//cdn") && !text.contains("https:") && !text.contains("@import"));
            assert!(!text.contains("innerHTML") && !text.contains("eval("));
        }
    }
}
