//! The rules of the house: which module may use which, which crate belongs where, and what source may not
//! say. Reads every file of `src/` as tokens, so comments and strings never count as code.

mod rules;
mod source;

use std::{fs, path::Path};

use rules::Finding;
use source::Source;

/// Every finding in the given files, `(path below src/, content)`.
fn inspect(files: &[(String, String)]) -> Vec<Finding> {
    let sources: Vec<Source> = files.iter().map(|(path, content)| Source::read(path, content)).collect();
    let test_only: Vec<&String> = sources.iter().flat_map(|source| &source.test_modules).collect();
    sources
        .iter()
        .filter(|source| !test_only.iter().any(|module| source.is_within(module)))
        .flat_map(rules::check)
        .collect()
}

fn rust_files(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_source_keeps_the_rules_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &root, &mut files);
    assert!(files.len() > 5, "only {} files found below {}", files.len(), root.display());
    let (excused, findings): (Vec<_>, Vec<_>) = inspect(&files).into_iter().partition(rules::is_excused);
    let broken: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "rules of tests/it/house/rules.rs are broken:\n{}", broken.join("\n"));
    let stale = rules::stale_excuses(&excused);
    assert!(stale.is_empty(), "nothing needs these excuses of tests/it/house/rules.rs any more: {stale:?}");
}

/// The findings in one file as `line: message`.
fn findings(path: &str, content: &str) -> Vec<String> {
    inspect(&[(path.to_owned(), content.to_owned())])
        .iter()
        .map(|finding| format!("{}: {}", finding.line, finding.message))
        .collect()
}

#[test]
fn imports_against_the_direction_are_found() {
    let bad = "use crate::{\n    clock::Clock,\n    pages::{self, login},\n};\nfn f() -> crate::oidc::Token { g() }";
    assert_eq!(
        findings("storage/db.rs", bad),
        ["3: storage may not use pages", "5: storage may not use oidc"]
    );
    assert_eq!(
        findings("crypto/jwt/mod.rs", "use super::super::storage::Db;"),
        ["1: crypto may not use storage"]
    );
    assert_eq!(
        findings("crypto.rs", "mod a { mod b { use super::super::super::mail; } }"),
        ["1: crypto may not use mail"]
    );
    assert_eq!(
        findings("members/mod.rs", "fn f() { json!({ \"a\": crate::web::visit() }) }"),
        ["1: members may not use web"]
    );
    assert_eq!(findings("pages/login.rs", "use crate::{members, storage::Db}; use super::home;"), [""; 0]);
    assert_eq!(findings("new/part.rs", "use super::other;"), ["1: new has no place in the house yet"]);
}

#[test]
fn crates_outside_their_place_are_found() {
    assert_eq!(findings("members/mod.rs", "use axum::Router;"), ["1: axum is not for members"]);
    assert_eq!(findings("members/mod.rs", "use {axum as web, std::fmt};"), ["1: axum is not for members"]);
    assert_eq!(
        findings("clients/mod.rs", "#[derive(sqlx::FromRow)]\nstruct Row;"),
        ["1: sqlx is not for clients"]
    );
    assert_eq!(
        findings("storage/db.rs", "\nfn f() -> ::redis::Value {}"),
        ["2: redis is not for storage::db"]
    );
    assert_eq!(
        findings("web/visit.rs", "use minijinja::Environment;"),
        ["1: minijinja is not for web::visit"]
    );
    assert_eq!(findings("web/templates.rs", "use minijinja::Environment;"), [""; 0]);
    assert_eq!(findings("cli/demo/app.rs", "use axum::Router;"), [""; 0]);
    assert_eq!(findings("cli/keys.rs", "use axum::Router;"), ["1: axum is not for cli::keys"]);
    // Our own module of the same name is not the crate.
    assert_eq!(findings("ephemeral/mod.rs", "use self::redis::Redis; fn f() { x.redis(); }"), [""; 0]);
}

#[test]
fn time_and_chance_outside_the_clock_are_found() {
    let bad = "use std::time;\nfn f() { time::SystemTime::now(); }\nfn g() { jiff::Zoned::now(); }";
    assert_eq!(
        findings("mail/mod.rs", bad),
        ["2: SystemTime::now is not for mail: ask the Clock", "3: Zoned::now is not for mail: ask the Clock"]
    );
    assert_eq!(
        findings("crypto/keyring.rs", "use openssl::rand::rand_bytes;"),
        ["1: rand is not for crypto::keyring: ask the Entropy"]
    );
    assert_eq!(findings("clock.rs", "fn f() { SystemTime::now(); getrandom::fill(x); }"), [""; 0]);
    assert_eq!(findings("mail/mod.rs", "fn f() { std::time::Instant::now(); }"), [""; 0]);
}

#[test]
fn panics_and_unfinished_work_are_found() {
    let bad = "fn f() {\n    a.unwrap();\n    b.expect(\"c\");\n    panic!();\n}\n// TODO later\n#[expect(unused)]\nfn g() {}";
    assert_eq!(findings("oidc/token.rs", bad), ["2: unwrap", "3: expect", "4: panic", "6: unfinished work"]);
}

#[test]
fn comments_strings_and_tests_do_not_count() {
    let good = r##"
//! Like `axum::Router`.
/* use sqlx::query; */
const A: &str = "use redis::Client;";
const B: &str = r#"panic!("")"#;
#[cfg(test)]
use axum::Router;
#[cfg(test)]
mod tests { fn f() { sqlx::query("").unwrap(); } }
"##;
    assert_eq!(findings("members/mod.rs", good), [""; 0]);
    assert_eq!(findings("members/mod.rs", &format!("{good}fn f() {{ axum::serve(); }}")).len(), 1);
    let file = |path: &str, content: &str| (path.to_owned(), content.to_owned());
    let suite = file("ephemeral/suite.rs", "fn f() { a.unwrap(); }");
    assert_eq!(inspect(std::slice::from_ref(&suite)).len(), 1);
    assert_eq!(inspect(&[file("ephemeral/mod.rs", "#[cfg(test)]\nmod suite;"), suite]).len(), 0);
}

/// A file that no `mod` names would be tests that never run.
#[test]
fn every_story_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(main.contains(&format!("\nmod {module};\n")), "tests/it/{name} is in no module");
        }
    }
}

/// Names of what a log line has anyway; a field of such a name would take its place.
const OF_THE_LINE: [&str; 5] = ["timestamp", "level", "message", "target", "span"];

/// The fields of the events that a file logs.
fn logged_fields(content: &str) -> impl Iterator<Item = &str> {
    let events = content.split("tracing::").skip(1).filter_map(|event| event.split_once("!("));
    let levels = ["trace", "debug", "info", "warn", "error"];
    events.filter(move |(level, _)| levels.contains(level)).flat_map(|(_, fields)| {
        let before_the_text = fields.split('"').next().unwrap_or_default();
        before_the_text.split(',').map(|field| field.split('=').next().unwrap_or_default().trim())
    })
}

#[test]
fn no_field_of_an_event_takes_the_place_of_another() {
    let found: Vec<_> =
        logged_fields("tracing::info!(message = id, target, n, \"x\"); tracing::Span").collect();
    assert_eq!(found, ["message", "target", "n", ""]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &root, &mut files);
    for (path, content) in &files {
        let taken = logged_fields(content).find(|field| OF_THE_LINE.contains(field));
        assert_eq!(taken, None, "src/{path} logs such a field");
    }
}
