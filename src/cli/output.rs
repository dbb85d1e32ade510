//! What every command prints: names and values for people, or JSON (`--json`) for scripts. With `--json` a result is
//! JSON on standard output, an error is `{"error": …}` on standard error, and the exit code is not 0.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::clock::Timestamp;

/// Prints names and values, as text or as JSON.
pub fn say(shown: &Value, as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if as_json {
        return print(shown, out);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => &number.to_string(),
            _ => continue,
        };
        writeln!(out, "{:<18}  {text}", name.replace('_', " "))?;
    }
    Ok(())
}

/// Prints JSON.
pub fn print(shown: &Value, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(shown)?)?;
    Ok(())
}

/// Prints a sentence, or the JSON that says the same.
pub fn tell(
    sentence: &str,
    shown: impl FnOnce() -> Value,
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if as_json {
        return print(&shown(), out);
    }
    writeln!(out, "{sentence}")?;
    Ok(())
}

/// An instant in UTC.
pub fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%FT%TZ").to_string())
}

/// Whether a command line that could not be read asks for JSON.
pub fn asks_for_json(mut arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.any(|argument| argument == "--json")
}

/// Says why a command line could not be read, or what was asked of it: `--help`, `--version`.
pub fn refuse(error: &clap::Error, as_json: bool) -> ExitCode {
    if as_json && error.use_stderr() {
        let text = error.render().to_string();
        complain(text.trim_start_matches("error: ").trim_end());
    } else {
        error.print().ok();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Says why a command failed.
pub fn fail(error: &anyhow::Error, as_json: bool) -> ExitCode {
    // Whoever reads the output may stop early: `keys list | head`.
    let broken_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if error.downcast_ref::<io::Error>().is_some_and(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    let told = causes(error);
    if as_json {
        complain(&told);
    } else {
        eprintln!("kenpos-idp: {told}");
    }
    ExitCode::FAILURE
}

/// An error and its causes, each once: many errors tell their cause in their own text.
fn causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        before if before.contains(&cause) => told,
        before => format!("{before}: {cause}"),
    })
}

fn complain(text: &str) {
    eprintln!("{:#}", json!({ "error": text }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_told() {
        let mut out = Vec::new();
        say(&json!({ "attempts": 3, "last_error": "450", "finished": null }), false, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "attempts            3\nlast error          450\n");
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = || anyhow::anyhow!("no such password");
        assert_eq!(
            causes(&inner().context("the database: no such password").context("start")),
            "start: the database: no such password"
        );
        assert_eq!(
            causes(&inner().context("the database").context("the database")),
            "the database: no such password"
        );
    }
}
