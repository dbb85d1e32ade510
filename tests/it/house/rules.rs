//! The rules themselves, as tables.

use std::fmt;

use super::source::Source;

/// What each module may use beside itself and [`GROUND`]; `lib.rs` only declares and is free.
/// `cli → app, routes → pages | admin | oidc → members | clients → storage | ephemeral | mail → crypto`.
const DIRECTION: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "routes",
            "app",
            "pages",
            "admin",
            "oidc",
            "web",
            "members",
            "clients",
            "storage",
            "ephemeral",
            "mail",
            "audit",
            "crypto",
        ],
    ),
    ("routes", &["app", "pages", "admin", "oidc", "web"]),
    // Handlers take the App, so it stands beside them: it hands out the layers below and knows no page.
    ("app", &["web", "members", "clients", "storage", "ephemeral", "mail", "audit", "crypto"]),
    ("pages", &["app", "web", "members", "clients", "storage", "ephemeral", "mail", "audit", "crypto"]),
    ("admin", &["app", "web", "members", "clients", "storage", "ephemeral", "mail", "audit", "crypto"]),
    ("oidc", &["app", "web", "members", "clients", "storage", "ephemeral", "mail", "audit", "crypto"]),
    ("web", &["app", "members", "clients", "storage", "ephemeral", "mail", "audit", "crypto"]),
    ("members", &["storage", "ephemeral", "mail", "audit", "crypto"]),
    ("clients", &["storage", "ephemeral", "mail", "audit", "crypto"]),
    ("ephemeral", &["storage", "crypto"]),
    ("mail", &["storage", "crypto"]),
    ("audit", &["storage", "crypto"]),
    ("storage", &["audit", "crypto"]),
    ("crypto", &[]),
    ("config", &[]),
    ("texts", &[]),
    ("telemetry", &[]),
    ("clock", &[]),
];

/// The ground floor, which every module may use.
const GROUND: &[&str] = &["clock", "config", "texts", "telemetry"];

/// Crates that belong to some modules only.
const CRATES: &[(&str, &[&str])] = &[
    ("axum", WEB),
    ("tower_http", WEB),
    ("sqlx", &["storage", "ephemeral"]),
    ("redis", &["ephemeral"]),
    ("josekit", &["crypto"]),
    ("openssl", &["crypto"]),
    ("lettre", &["mail"]),
    ("minijinja", &["web::templates", "mail"]),
    ("openidconnect", &["cli::demo"]), // the sample app, a relying party
];
/// Whoever speaks HTTP; the demo serves two sites of its own.
const WEB: &[&str] = &["web", "pages", "admin", "oidc", "app", "routes", "cli::demo"];

/// Parts of a path that read the wall clock or the system's randomness, and whom to ask instead.
/// `Instant` is allowed: it measures, and cannot tell the time.
const CLOCK_ONLY: &[(&[&str], &str)] = &[
    (&["SystemTime", "now"], "Clock"),
    (&["Timestamp", "now"], "Clock"),
    (&["Zoned", "now"], "Clock"),
    (&["getrandom"], "Entropy"),
    (&["rand"], "Entropy"),
    (&["OsRng"], "Entropy"),
];

/// Panics that may stay, by file and word, each with its reason.
const EXCUSES: &[(&str, &str, &str)] =
    &[("clock.rs", "panic", "without randomness no answer that needs a secret could be honest")];

/// A broken rule and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What is wrong with a file, line by line.
pub fn check(source: &Source) -> Vec<Finding> {
    let paths = source.mentions.iter().map(|mention| (mention.line, &mention.path));
    let mut found: Vec<(usize, String)> = paths
        .flat_map(|(line, path)| {
            [direction(source, path), crate_place(source, path), clock_only(source, path)]
                .into_iter()
                .flatten()
                .map(move |message| (line, message))
        })
        .chain(source.panics.iter().cloned())
        .chain(
            source.unfinished.iter().map(|line| (*line, "unfinished work belongs in the tracker".to_owned())),
        )
        .collect();
    found.sort();
    found.into_iter().map(|(line, message)| Finding { file: source.file.clone(), line, message }).collect()
}

fn direction(source: &Source, path: &[String]) -> Option<String> {
    let [root, target, ..] = path else { return None };
    let from = source.module.first()?;
    // Macros and items at the root of the crate are nobody's.
    let is_module = DIRECTION.iter().any(|(name, _)| name == target);
    let Some((_, allowed)) = DIRECTION.iter().find(|(name, _)| name == from) else {
        return Some(format!("{from} has no place in the house yet"));
    };
    let fine = target == from || allowed.contains(&target.as_str()) || GROUND.contains(&target.as_str());
    (root == "crate" && is_module && !fine).then(|| format!("{from} may not use {target}"))
}

fn crate_place(source: &Source, path: &[String]) -> Option<String> {
    let (name, places) = CRATES.iter().find(|(name, _)| *name == path[0])?;
    let fine = places.iter().any(|place| source.is_within(place));
    (!fine).then(|| format!("{name} is not for {}", source.module.join("::")))
}

fn clock_only(source: &Source, path: &[String]) -> Option<String> {
    let (parts, ask) =
        CLOCK_ONLY.iter().find(|(parts, _)| path.windows(parts.len()).any(|window| window == *parts))?;
    (!source.is_within("clock"))
        .then(|| format!("{} is not for {}: ask the {ask}", parts.join("::"), source.module.join("::")))
}

/// Whether the table of excuses names this finding.
pub fn is_excused(finding: &Finding) -> bool {
    EXCUSES.iter().any(|excuse| is_for(excuse, finding))
}

/// The excuses that no finding needs.
pub fn stale_excuses(excused: &[Finding]) -> Vec<&'static str> {
    let stale = EXCUSES.iter().filter(|excuse| !excused.iter().any(|finding| is_for(excuse, finding)));
    stale.map(|(file, ..)| *file).collect()
}

fn is_for((file, message, _): &(&str, &str, &str), finding: &Finding) -> bool {
    finding.file == *file && finding.message == *message
}
