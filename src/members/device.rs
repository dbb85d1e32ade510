//! What kind of device a session is on: coarse on purpose, so that a member recognises it and nobody else
//! is told apart by it.

use serde::{Deserialize, Serialize};

/// A browser on an operating system, as far as the `User-Agent` tells (RFC 9110 §10.1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Browser family.
    #[serde(default)]
    pub browser: Option<Browser>,
    /// Operating system, or the kind of device that it runs on.
    #[serde(default)]
    pub system: Option<System>,
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $shown:literal by $($mark:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "they are names of products")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Name, the same in every language.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $shown),+ }
            }

            /// The first whose mark stands in the text: the order matters, as most claim to be others too.
            fn find(user_agent: &str) -> Option<Self> {
                let marks: &[(Self, &[&str])] = &[$((Self::$variant, &[$($mark),+])),+];
                let found = marks.iter().find(|(_, marks)| marks.iter().any(|mark| user_agent.contains(mark)));
                found.map(|(family, _)| *family)
            }
        }
    };
}

family! {
    /// Browser families.
    Browser {
        Edge "Edge" by "Edg/" | "EdgA/" | "EdgiOS/",
        Opera "Opera" by "OPR/" | "OPT/",
        SamsungInternet "Samsung Internet" by "SamsungBrowser/",
        Line "LINE" by " Line/",
        Yahoo "Yahoo! JAPAN" by "YJApp",
        Firefox "Firefox" by "Firefox/" | "FxiOS/",
        Chrome "Chrome" by "Chrome/" | "CriOS/",
        Safari "Safari" by "Safari/",
    }
}

family! {
    /// Operating systems, or devices that are known by theirs.
    System {
        IPhone "iPhone" by "iPhone",
        IPad "iPad" by "iPad",
        Android "Android" by "Android",
        Windows "Windows" by "Windows",
        ChromeOs "ChromeOS" by "CrOS",
        Mac "Mac" by "Macintosh",
        Linux "Linux" by "Linux",
    }
}

impl Device {
    /// Reads a `User-Agent`.
    pub fn of_user_agent(user_agent: &str) -> Self {
        Self { browser: Browser::find(user_agent), system: System::find(user_agent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_told_apart() {
        let shown = |user_agent: &str| {
            let device = Device::of_user_agent(user_agent);
            (device.browser.map_or("?", Browser::name), device.system.map_or("?", System::name))
        };
        for (user_agent, browser, system) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge",
                "Windows",
            ),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/142.0.0.0 Safari/537.36", "Chrome", "ChromeOS"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox",
                "Mac",
            ),
            ("curl/8.11.0", "?", "?"),
            ("", "?", "?"),
        ] {
            assert_eq!(shown(user_agent), (browser, system), "{user_agent}");
        }
    }
}
