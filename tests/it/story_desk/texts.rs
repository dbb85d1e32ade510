//! Every kind of event has a name for people, in both languages.

use std::{fs, path::Path};

use kenpos_idp::texts::{Locale, Texts};

/// What events are about: the part of their names before the dot.
const SUBJECTS: [&str; 15] = [
    "audit",
    "client",
    "delivery",
    "document",
    "insurer",
    "key",
    "mail",
    "member",
    "operator",
    "preferences",
    "recovery",
    "registration",
    "roster",
    "scope",
    "webhook",
];

/// Names of files, which look alike.
const FILES: [&str; 8] = ["csv", "css", "html", "js", "json", "localhost", "pem", "txt"];

/// The literals of a source file that are names of events.
fn events(source: &str, found: &mut Vec<String>) {
    for (at, _) in source.match_indices('"') {
        let Some(literal) = source[at + 1..].split('"').next() else { continue };
        let Some((subject, what)) = literal.split_once('.') else { continue };
        let plain = !what.is_empty() && what.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if plain && SUBJECTS.contains(&subject) && !FILES.contains(&what) && !what.ends_with("sqlite") {
            found.push(literal.to_owned());
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Keys of the configuration look alike.
        if path.is_dir() && !path.ends_with("src/config") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            events(&fs::read_to_string(path).unwrap(), found);
        }
    }
}

#[test]
fn every_event_has_a_name_in_both_languages() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found.dedup();
    assert!(found.len() > 60 && found.iter().any(|name| name == "webhook.created"), "{found:?}");
    let texts = Texts::load().unwrap();
    for name in found {
        let id = name.replace('.', "-");
        for locale in Locale::ALL {
            // What webhooks are told has names of its own.
            let named = [format!("audit-{id}"), format!("webhooks-event-{id}")];
            let told = name == kenpos_idp::clients::webhook::TEST;
            assert!(told || named.iter().any(|text| texts.has(locale, text)), "{locale} has no audit-{id}");
        }
    }
}
