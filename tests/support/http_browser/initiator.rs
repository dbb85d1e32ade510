//! Who began a request, as its headers tell: `Referer`, `Origin` and `Sec-Fetch-Site`.

use url::Url;

use super::origin;

/// The page whose link or form began a navigation.
#[derive(Clone)]
pub struct Initiator {
    pub url: Url,
    /// `Referrer-Policy` of the page.
    pub referrer_policy: String,
}

/// `Sec-Fetch-Site` (Fetch Metadata §2.3), from trusted to foreign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    None,
    SameOrigin,
    SameSite,
    CrossSite,
}

impl Initiator {
    /// The `Referer` for `target` under the page's policy, `strict-origin-when-cross-origin` by default.
    pub fn referer(&self, target: &Url) -> Option<String> {
        let same = origin(&self.url) == origin(target);
        match self.referrer_policy.as_str() {
            "no-referrer" => None,
            "same-origin" if !same => None,
            "origin" | "strict-origin" => Some(format!("{}/", origin(&self.url))),
            _ if same => Some(self.url.as_str().split('#').next().unwrap().to_owned()),
            _ => Some(format!("{}/", origin(&self.url))),
        }
    }

    /// `Origin` (Fetch §3.2): a page that gives no referrer gives no origin either.
    pub fn origin_header(&self, target: &Url) -> String {
        if self.referer(target).is_some() { origin(&self.url) } else { "null".to_owned() }
    }
}

impl Distance {
    /// A site is a scheme and a host here; no test has two hosts of one registrable domain.
    pub fn between(from: &Url, to: &Url) -> Self {
        if origin(from) == origin(to) {
            Self::SameOrigin
        } else if (from.scheme(), from.host_str()) == (to.scheme(), to.host_str()) {
            Self::SameSite
        } else {
            Self::CrossSite
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossSite => "cross-site",
        }
    }
}
