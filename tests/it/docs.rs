//! README.md, docs/ and kenpos.example.toml say what the program does: keys and defaults of the
//! configuration, commands and options, scopes, claims, endpoints, metrics, links.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use kenpos_idp::{
    admin::api::problem::Kind,
    cli::Cli,
    config::{Config, insurer::Policy},
    oidc::{claims, scope::Scope},
    operators::Permission,
};
use serde_json::{Value, json};

const DOCUMENTS: [&str; 13] = [
    "README.md",
    "docs/backup.md",
    "docs/faults.md",
    "docs/operators.md",
    "docs/api.md",
    "docs/app-developers.md",
    "docs/contributors.md",
    "docs/limits.md",
    "docs/attacks.md",
    "docs/dependencies.md",
    "docs/runbook.md",
    "docs/sizing.md",
    "keys/README.md",
];

/// An insurer with only what is required, one document included.
const INSURER: &str = r#"
    [[insurers]]
    code = "7132"
    number = "06139497"
    name = "みほん健康保険組合"
    contact = { name = "事務局" }
    documents.privacy = { version = "1", ja = "ja.txt", en = "en.txt" }
"#;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// What the program says about a section with a key that nobody has: the keys that it has instead.
fn keys_at(steps: &[&str]) -> Vec<String> {
    let unknown = steps.iter().rev().fold(json!({ "?": 1 }), |inner, step| match *step {
        "insurers" => json!({ "insurers": [inner] }),
        step => json!({ step: inner }),
    });
    let Err(error) = serde_json::from_value::<Config>(unknown) else { return Vec::new() };
    let error = error.to_string();
    let Some(expected) = error.strip_prefix("unknown field `?`, expected ") else { return Vec::new() };
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every key of the configuration, as the documentation writes it.
fn keys(steps: &[&str], found: &mut BTreeSet<String>) {
    for key in keys_at(steps) {
        let mut path = steps.to_vec();
        path.push(&key);
        if path == ["insurers", "documents"] {
            path.push("privacy");
        }
        if keys_at(&path).is_empty() {
            found.insert(written(&path.join(".")));
        } else {
            keys(&path, found);
        }
    }
}

/// `insurers[].documents.KIND.ja` of `insurers.documents.privacy.ja` or `insurers.0.documents.terms.ja`.
fn written(path: &str) -> String {
    path.replace("insurers.0.", "insurers.")
        .replace("insurers.", "insurers[].")
        .replace(".privacy.", ".KIND.")
        .replace(".terms.", ".KIND.")
}

/// The leaves of a value by their paths; a list of plain values is a leaf.
fn leaves(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(&below(key), value, found)),
        Value::Array(list) if path == "insurers" => {
            list.iter().enumerate().for_each(|(n, value)| leaves(&below(&n.to_string()), value, found));
        }
        value => {
            found.insert(written(path), value.clone());
        }
    }
}

fn config(toml: &str) -> Config {
    Figment::from(Toml::string(toml)).extract().unwrap()
}

fn settings(config: &Config) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    leaves("", &serde_json::to_value(config).unwrap(), &mut found);
    found
}

/// The tables of the configuration: key to default, both as they are written.
fn documented() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let text = read("docs/operators.md");
    let section = text.split("\n## ").find(|section| section.starts_with("Configuration\n")).unwrap();
    for line in section.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, key, default, meaning, ..] = cells[..]
            && let Some(key) = key.strip_prefix('`').and_then(|key| key.strip_suffix('`'))
        {
            assert!(!meaning.is_empty(), "{key} has no meaning");
            let twice = found.insert(key.to_owned(), default.to_owned());
            assert_eq!(twice, None, "{key} stands there twice");
        }
    }
    found
}

#[test]
fn the_tables_of_the_configuration_have_every_key_and_no_other() {
    let mut known = BTreeSet::new();
    keys(&[], &mut known);
    assert!(known.len() > 60 && known.contains("ephemeral.sentinel_password"), "{known:?}");
    let documented: BTreeSet<String> = documented().into_keys().collect();
    let missing: Vec<_> = known.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&known).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:?}, not there: {invented:?}");
}

#[test]
fn the_tables_of_the_configuration_tell_the_defaults() {
    let defaults = settings(&config(INSURER));
    for (key, told) in documented() {
        // What comes from the machine, or is secret and so not written out.
        let Some(value) = defaults.get(&key).filter(|_| key != "passwords.concurrent") else { continue };
        let required = ["server.issuer", "mail.host", "mail.from"].contains(&key.as_str())
            || (key.starts_with("insurers[]")
                && value.is_string()
                && INSURER.contains(&format!("= {value}")));
        let expected = match value {
            _ if required => "required".to_owned(),
            Value::Null => "none".to_owned(),
            value => format!("`{}`", value.to_string().replace("\",\"", "\", \"")),
        };
        assert_eq!(told, expected, "default of {key}");
    }
}

#[test]
fn the_example_is_a_valid_configuration() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("kenpos.example.toml");
    let config = Config::load(Some(&file)).unwrap();
    assert_eq!(config.insurers.len(), 1);
    let plain = serde_json::to_value(&config.insurers[0].policy).unwrap();
    assert_eq!(plain, serde_json::to_value(Policy::default()).unwrap());
    let readme = read("README.md");
    let toml = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    self::config(toml).validate().unwrap();
}

#[test]
fn the_example_names_every_key_and_its_default() {
    let commented = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    let toml: String = read("kenpos.example.toml").lines().map(|line| commented(line) + "\n").collect();
    let complete = config(&toml);
    complete.validate().unwrap();
    let (told, defaults) = (settings(&complete), settings(&config(INSURER)));
    for (key, default) in documented() {
        let name = key.rsplit('.').next().unwrap();
        assert!(toml.lines().any(|line| line.starts_with(&format!("{name} = "))), "{key} is not named");
        let known = default.starts_with('`');
        assert!(!known || told.get(&key) == defaults.get(&key), "another default of {key}");
        assert!(told.get(&key) != Some(&Value::Null), "{key} is not in its section");
    }
}

/// The cells of the rows of all tables.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|---"));
    rows.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
}

fn in_code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_limits_are_those_of_the_configuration() {
    let known = documented();
    let is_limit = |key: &str| {
        let name = key.rsplit('.').next().unwrap_or_default();
        let sections = ["limits.", "server.", "roster.", "mail.", "egress.", "ephemeral."];
        let limiting = ["timeout", "limit", "max_", "drain", "_fields"];
        key.starts_with("limits.")
            || ["passwords.concurrent", "passwords.queue"].contains(&key)
            || ["login_failures", "login_pause_minutes", "temporary_password_failures"].contains(&name)
            || (sections.iter().any(|section| key.starts_with(section))
                && limiting.iter().any(|part| name.contains(part)))
    };
    let mut told = BTreeSet::new();
    for cells in rows(&read("docs/limits.md")) {
        let Some(key) = cells.get(1).and_then(|cell| in_code(cell).next()) else { continue };
        assert_eq!(Some(&cells[2]), known.get(key), "default of {key}");
        told.insert(key.to_owned());
    }
    let missing: Vec<_> = known.keys().filter(|key| is_limit(key) && !told.contains(*key)).collect();
    assert!(missing.is_empty(), "docs/limits.md does not tell of {missing:?}");
    assert!(told.len() > 30, "{told:?}");
}

#[test]
fn the_dependencies_with_c_are_those_of_the_lock_file() {
    let lock = read("Cargo.lock");
    let builds_c = |package: &&str| {
        let tools = ["cc", "cmake", "nasm-rs", "pkg-config", "vcpkg", "bindgen"];
        let mut lines = package.lines().map(|line| line.trim_matches([' ', '"', ',']));
        lines.any(|line| tools.contains(&line.split(' ').next().unwrap_or_default()))
    };
    let name = |package: &str| {
        package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().replace('"', "")
    };
    let packages = lock.split("[[package]]").skip(1);
    let known: BTreeSet<String> = packages.filter(builds_c).map(name).collect();
    let guide = read("docs/dependencies.md");
    let table = guide.split("## C and assembler").nth(1).unwrap().split("\n## ").next().unwrap();
    let told: BTreeSet<String> =
        rows(table).filter_map(|cells| in_code(&cells[0]).next().map(str::to_owned)).collect();
    assert_eq!(told, known);
}

/// The names of functions that tests are.
fn functions(folder: &str) -> BTreeSet<String> {
    let mut source = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut source);
    let after = source.split("fn ").skip(1);
    after.map(|rest| rest.split(['(', '<']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_attack_is_where_it_is_said_to_be() {
    let tests: BTreeSet<String> = functions("tests/it").into_iter().chain(functions("src")).collect();
    let mut command = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/attacks"), &mut command);
    let mut named = 0;
    for cells in rows(&read("docs/attacks.md")).filter(|cells| cells.len() == 3) {
        for case in in_code(&cells[1]) {
            assert!(command.contains(case), "the command has no case {case}");
        }
        for test in in_code(&cells[2]) {
            assert!(tests.contains(test), "there is no test {test}");
            named += 1;
        }
        assert!(
            cells[0] == "Case" || cells[1..].iter().any(|cell| cell.contains('`')),
            "{} is nowhere",
            cells[0]
        );
    }
    assert!(named > 60, "only {named} tests are named");
}

fn commands(path: &str, command: &clap::Command, found: &mut Vec<(String, Vec<String>)>) {
    let options = command.get_arguments().filter_map(|arg| arg.get_long());
    let options = options.filter(|name| *name != "help").map(|name| format!("--{name}")).collect();
    found.push((path.to_owned(), options));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        commands(&format!("{path} {}", below.get_name()), below, found);
    }
}

#[test]
fn every_command_and_option_is_documented() {
    let (readme, all) = (read("README.md"), DOCUMENTS.map(read).concat());
    let mut found = Vec::new();
    commands("kenpos-idp", &Cli::command(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    for (path, options) in found {
        assert!(readme.contains(&path), "{path} is not in the README");
        for option in options.iter().filter(|option| *option != "--version") {
            assert!(all.contains(option.as_str()), "{option} of {path} is not documented");
        }
    }
}

#[test]
fn scopes_claims_and_endpoints_are_those_that_exist() {
    let guide = read("docs/app-developers.md");
    let names = Scope::NAMES.into_iter().chain(claims::supported());
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not documented");
    }
    let rows = guide.split("### Scopes and claims").nth(1).unwrap().split("\n### ").next().unwrap();
    let scopes: Vec<&str> =
        rows.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(scopes, Scope::NAMES);
    let routes = read("src/routes.rs");
    let (before_pages, operations) = (routes.split("fn hosted_pages").next().unwrap(), "fn operations");
    let operations = routes.split(operations).nth(1).unwrap().split("async fn").next().unwrap();
    let all = guide + &read("docs/operators.md");
    for text in [before_pages, operations] {
        for path in text.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(path.contains('{') || all.contains(&format!("`{path}`")), "{path} is not documented");
        }
    }
}

#[test]
fn scopes_and_problems_of_the_api_are_those_that_exist() {
    let guide = read("docs/api.md");
    let first_cells = |heading: &str, cell: usize| -> Vec<String> {
        let table = guide.split(heading).nth(1).unwrap().split("\n\n").next().unwrap();
        let cells = table.lines().filter_map(|line| line.split('|').nth(cell));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
    };
    assert_eq!(first_cells("| Scope |", 1), Permission::ALL.map(Permission::scope));
    let told = first_cells("| Status |", 2);
    let told: BTreeSet<&str> = told.iter().map(String::as_str).filter(|name| *name != "Allow").collect();
    assert_eq!(told, Kind::codes().collect());
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_metrics_are_those_that_exist() {
    let mut source = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut source);
    let names = |kind: &str| -> Vec<String> {
        let call = format!("metrics::{kind}!(\"");
        source.split(&call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let known: BTreeSet<String> =
        ["counter", "gauge", "histogram"].iter().flat_map(|kind| names(kind)).collect();
    let guide = read("docs/operators.md");
    let table = guide.split("| Metric |").nth(1).unwrap().split("\n\n").next().unwrap();
    let told: BTreeSet<String> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|name| name.split('{').next().unwrap().to_owned())
        .filter(|name| name.starts_with("kenpos_") || name.starts_with("http_"))
        .collect();
    assert_eq!(told, known);
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    for document in DOCUMENTS {
        let text = read(document);
        let in_markdown = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let images = text.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for link in in_markdown.chain(images).filter(|link| !link.starts_with("http")) {
            links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target: PathBuf = match file {
                "" => root.join(document),
                file => root.join(document).parent().unwrap().join(file),
            };
            assert!(target.exists(), "{document}: {link}");
            let found = heading.is_empty()
                || fs::read_to_string(&target)
                    .unwrap()
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(found, "{document}: {link}");
        }
    }
    assert!(links > 30, "only {links} links found");
}
