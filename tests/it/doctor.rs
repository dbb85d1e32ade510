//! `kenpos-idp doctor`: it finds what is wrong with each service, in plain words, tells no secret, and makes nothing.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use crate::support::backends::{Postgres, Redis};

/// A folder with a configuration, in which `doctor` is asked.
struct Patient {
    folder: tempfile::TempDir,
    more: String,
}

impl Patient {
    fn new(more: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), more: more.to_owned() }
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let config = format!(
            "[server]\nissuer = \"https://login.example.jp\"\n\
             [mail]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"\nfrom = \"no-reply@example.jp\"\n\
             [passwords]\nmemory_kib = 8\niterations = 1\n{}\n\
             [[insurers]]\ncode = \"7132\"\nnumber = \"06139497\"\nname = \"x\"\ncontact = {{ name = \"y\" }}\n",
            self.more
        );
        fs::write(self.folder.path().join("kenpos.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kenpos-idp"));
        command.current_dir(self.folder.path()).args(["-c", "kenpos.toml"]).args(arguments);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// What it tells; every one of these findings is among it, and something fails.
    fn is_told(&self, findings: &[&str]) -> String {
        let (code, told) = self.run(&["doctor"]);
        for finding in findings {
            assert!(told.contains(finding), "{finding} in\n{told}");
        }
        // The relay is down all the time.
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("FAIL  mail relay: Connection error"), "{told}");
        told
    }
}

#[test]
fn before_the_first_start_it_makes_nothing_and_looks_at_the_rest() {
    let patient = Patient::new("");
    patient.is_told(&[
        "warn  master key: is not in keys yet",
        "warn  database: data/kenpos.sqlite is not there yet",
    ]);
    let made: Vec<_> =
        fs::read_dir(patient.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(made, ["kenpos.toml"]);
}

#[test]
fn a_database_that_is_out_of_reach_or_open_to_others_is_told_of() {
    let patient = Patient::new("");
    assert_eq!(patient.run(&["migrate"]).0, Some(0));
    let data = patient.folder.path().join("data");
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let open = "others on this machine can read data/kenpos.sqlite (mode 0644)";
    set(&data.join("kenpos.sqlite"), 0o644);
    assert!(
        !patient.is_told(&["ok    database: SQLite answers"]).contains(open),
        "nobody else gets to the file"
    );
    set(&data, 0o755);
    patient.is_told(&[&format!("warn  database: {open}")]);
    // A folder that is none can be entered by nobody, not even by root.
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "").unwrap();
    patient.is_told(&["FAIL  database: data/kenpos.sqlite: Not a directory"]);
    let (code, told) = patient.run(&["keys", "list"]);
    assert!(code == Some(1) && told.contains("the database data cannot be used: "), "{told}");
}

#[test]
fn a_foreign_master_key_is_found() {
    let patient = Patient::new("");
    assert_eq!(patient.run(&["keys", "rotate"]).0, Some(0));
    patient.is_told(&["open with the master key\n", "ok    ephemeral store: SQLite answers"]);
    let file = patient.folder.path().join("keys/master.key");
    let right = fs::read_to_string(&file).unwrap();
    // Another key of the same form.
    let wrong: String = right.chars().rev().collect::<String>().trim().replace(['_', '-'], "x");
    let wrong = format!("{}A\n", &wrong[..42]);
    fs::write(&file, &wrong).unwrap();
    let told =
        patient.is_told(&["does not open with the master key", "master.key with which the keys were made"]);
    assert!(
        told.contains("FAIL  signing key: ") && !told.contains(wrong.trim()) && !told.contains(right.trim())
    );
    fs::remove_file(&file).unwrap();
    patient.is_told(&["FAIL  signing key: the database has keys, and nothing to open them is here"]);
    // Nothing makes another one beside them, and the folder is named.
    for command in [
        "client create --name x --redirect-uri https://x.example.jp/ --auth secret-jwt",
        "operator list",
        "serve",
    ] {
        let (code, told) = patient.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(code, Some(1), "{told}");
        let here = patient.folder.path().canonicalize().unwrap().join("keys");
        let named = format!("keys.directory: there is no master.key in {}, and", here.display());
        assert!(told.contains(&named), "{told}");
        assert!(!file.exists(), "{command}");
    }
}

#[test]
fn a_service_that_fails_hides_none_of_the_others() {
    let redis = Redis::start_with_password("r3dis-secret");
    let address = Postgres::shared().address();
    let services = |database: &str, password: &str| {
        format!(
            "[database]\nurl = \"postgres://postgres:sql-s3cret@{address}/{database}\"\n\
             [ephemeral]\nurl = \"redis://:{password}@{}\"\n",
            redis.address()
        )
    };
    Postgres::shared().create_database("examined");
    let mut patient = Patient::new(&services("examined", "r3dis-secret"));
    let pending = "migrations are pending";
    patient.is_told(&["ok    database: PostgreSQL answers", pending, "ok    ephemeral store: Redis answers"]);
    assert_eq!(patient.run(&["migrate"]).0, Some(0));
    patient.is_told(&["ok    database: takes changes", "ok    ephemeral store: evicts nothing"]);

    let evict = ["-a", "r3dis-secret", "CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    assert!(redis.ask(&evict).contains("OK"));
    patient.is_told(&["FAIL  ephemeral store: evicts by allkeys-lru", "set maxmemory-policy noeviction"]);

    patient.more = services("nonesuch", "wr0ng-secret");
    let told = patient.is_told(&[
        "FAIL  database: database \"nonesuch\" does not exist\n",
        "FAIL  ephemeral store: the ephemeral store is unavailable: WRONGPASS",
    ]);
    assert!(!told.contains("s3cret") && !told.contains("-secret"), "{told}");
    let (code, told) = patient.run(&["migrate"]);
    let once =
        format!("kenpos-idp: the database {address} cannot be used: database \"nonesuch\" does not exist\n");
    assert_eq!((code, told), (Some(1), once));
    patient.more = services("examined", "r3dis-secret").replace(&address, "127.0.0.1:1");
    patient.is_told(&["FAIL  database: does not answer\n", "ok    ephemeral store: Redis answers"]);
}
