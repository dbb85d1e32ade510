//! What the provider of every story must not do unseen: panic, or log what is secret.
//!
//! Both are kept for the whole process. A story that finds something of its neighbour fails too, and the
//! text says what happened.

use std::{
    io::{self, Write},
    panic,
    sync::{Mutex, Once, PoisonError},
};

use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What went wrong so far.
static TROUBLE: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Texts that no line may have.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WATCH: Once = Once::new();

/// Watches panics and logs from now on; `RUST_LOG` prints the logs too.
pub fn watch() {
    WATCH.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // The tests' own asserts are in `tests/`.
            if panic.location().is_some_and(|place| !place.file().starts_with("tests/")) {
                note(format!("a panic: {panic}"));
            }
            before(panic);
        }));
        let printed = tracing_subscriber::fmt::layer().with_test_writer();
        let printed = EnvFilter::try_from_default_env().ok().map(|filter| (filter, printed));
        let directives = printed.as_ref().map_or_else(String::new, |(filter, _)| filter.to_string());
        let watched =
            tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(|| Watcher);
        tracing_subscriber::registry()
            .with(EnvFilter::new(format!(
                "kenpos_idp=trace,sqlx=debug,redis=debug,lettre=debug,{directives}"
            )))
            .with(watched)
            .with(printed.map(|(_, layer)| layer))
            .init();
    });
}

/// From now on no line may have this text.
pub fn keep_secret(text: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    if !secrets.iter().any(|known| known == text) {
        secrets.push(text.to_owned());
    }
}

/// Fails if anything went wrong so far.
///
/// # Panics
/// With what it was.
pub fn assert_clean() {
    let trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
}

fn note(trouble: String) {
    TROUBLE.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
}

/// Reads every line of the log, one at a time.
struct Watcher;

impl Write for Watcher {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(octets);
        if line.contains("a handler panicked") {
            note(line.clone().into_owned());
        }
        // The digits of a duration could be anything.
        let line = line.split(' ').filter(|word| !word.starts_with("ms=")).collect::<Vec<_>>().join(" ");
        let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets.iter().filter(|secret| line.contains(secret.as_str())) {
            note(format!("{secret:?} is in the log: {line}"));
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
