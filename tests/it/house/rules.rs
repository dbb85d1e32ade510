//! The rules themselves, as tables.

use std::{collections::BTreeSet, fmt};

use super::source::Source;

/// What each module may use beside itself and [`GROUND`]; `lib.rs` only declares and is free.
/// `cli → app, routes → pages | admin | oidc → members | clients → storage | ephemeral | mail | egress → crypto`.
/// Pages and protocol share a floor: a page ends in an answer to a relying party, and the other way round.
const DIRECTION: &[(&str, &str)] = &[
    ("main", "cli"),
    (
        "cli",
        "routes app pages admin oidc web operators members clients fault storage ephemeral mail egress audit crypto",
    ),
    ("routes", "app pages admin oidc web"),
    // Handlers and the web take the App, so it stands beside them.
    (
        "app",
        "pages admin oidc web operators members clients fault storage ephemeral mail egress audit crypto",
    ),
    ("pages", "oidc app web operators members clients fault storage ephemeral mail egress audit crypto"),
    (
        "admin",
        "pages oidc app web operators members clients fault storage ephemeral mail egress audit crypto",
    ),
    ("oidc", "pages app web operators members clients fault storage ephemeral mail egress audit crypto"),
    ("web", "app operators members clients fault storage ephemeral mail egress audit crypto"),
    ("members", "fault storage ephemeral mail egress audit crypto"),
    ("operators", "members clients fault storage ephemeral mail egress audit crypto"),
    ("clients", "fault storage ephemeral mail egress audit crypto"),
    ("fault", "storage ephemeral mail egress audit crypto"),
    ("ephemeral", "storage crypto"),
    ("mail", "storage crypto"),
    ("egress", "storage crypto"),
    ("audit", "storage crypto"),
    ("storage", "audit crypto"),
    ("crypto", ""),
    ("config", ""),
    ("texts", ""),
    ("telemetry", ""),
    ("clock", ""),
];

/// The ground floor, which every module may use.
const GROUND: &[&str] = &["clock", "config", "texts", "telemetry"];

/// Crates that belong to some modules only.
const CRATES: &[(&str, &[&str])] = &[
    ("axum", WEB),
    ("sqlx", &["storage", "ephemeral"]),
    ("redis", &["ephemeral"]),
    ("josekit", &["crypto"]),
    ("openssl", &["crypto"]),
    ("lettre", &["mail"]),
    ("minijinja", &["web::templates", "mail"]),
    ("openidconnect", &["cli::demo"]), // the sample app, a relying party
    ("reqwest", &["egress", "cli::demo"]),
];
/// Whoever speaks HTTP; the demo serves two sites of its own.
const WEB: &[&str] = &["web", "pages", "admin", "oidc", "app", "routes", "cli::serve", "cli::demo"];

/// Values of the domain that rows are made of: pure, and so as low as the ground floor.
const VALUES: &[&str] = &["BirthDate", "EmailAddress", "KanaName"];

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
const EXCUSES: &[(&str, &str, &str)] = &[
    ("clock.rs", "panic", "without randomness no answer that needs a secret could be honest"),
    ("crypto/master_key.rs", "panic", "an OpenSSL without AES-GCM cannot keep any secret"),
    ("members/sample.rs", "unreachable", "made of constant syllables, for demos and tests"),
];

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
    let homeless = source.module.first().filter(|name| allowed(name).is_none());
    let homeless = homeless.map(|name| (1, format!("{name} has no place in the house yet")));
    let unfinished = source.unfinished.iter().map(|line| (*line, "unfinished work".to_owned()));
    let paths = source.mentions.iter().flat_map(|mention| {
        let rules = [direction, crate_place, clock_only];
        rules.into_iter().filter_map(|rule| Some((mention.line, rule(source, &mention.path)?)))
    });
    let found: BTreeSet<(usize, String)> =
        homeless.into_iter().chain(paths).chain(source.panics.iter().cloned()).chain(unfinished).collect();
    let file = &source.file;
    found.into_iter().map(|(line, message)| Finding { file: file.clone(), line, message }).collect()
}

/// The modules that `module` may use, unless the table lacks it.
fn allowed(module: &str) -> Option<&'static str> {
    DIRECTION.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
}

fn direction(source: &Source, path: &[String]) -> Option<String> {
    let (from, [root, target, ..]) = (source.module.first()?, path) else { return None };
    // What is no module of the table is a macro at the root, or a module that is reported by itself.
    let other = root == "crate" && target != from && allowed(target).is_some();
    let fine = GROUND.contains(&target.as_str()) || allowed(from)?.split(' ').any(|name| name == target);
    let value = target == "members" && path.get(2).is_some_and(|name| VALUES.contains(&name.as_str()));
    (other && !fine && !value).then(|| format!("{from} may not use {target}"))
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
