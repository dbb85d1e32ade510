//! `roster import` and `roster sample`.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::{
    config::Insurer,
    members::{
        roster::{ImportError, Outcome, Report, RosterImport},
        sample,
    },
    texts::{Locale, Texts},
};

/// Exit code: every row was imported.
pub const ALL_FINE: u8 = 0;
/// Exit code: some rows were refused.
pub const SOME_REFUSED: u8 = 2;

/// Imports the file at `path`, with a progress bar on standard error and the report on `out`. Gives the
/// exit code: [`ALL_FINE`] or [`SOME_REFUSED`].
pub async fn import(
    import: &RosterImport<'_>,
    path: &Path,
    (texts, locale): (&Texts, Locale),
    as_json: bool,
    mut out: impl Write,
) -> anyhow::Result<u8> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    // indicatif draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(length).with_style(
        ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}  {msg}  {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let result = import
        .run(file, |rows, bytes| {
            bar.set_position(bytes);
            bar.set_message(rows.to_string());
        })
        .await;
    bar.finish_and_clear();
    let report = match result {
        Ok(report) => report,
        Err(ImportError::File(error)) => {
            anyhow::bail!("{}", texts.text(locale, error.text_id(), &error.args()))
        }
        Err(error) => return Err(error.into()),
    };
    if as_json {
        super::output::print(&told(&report, texts, locale), &mut out)?;
    } else {
        print(&report, texts, locale, out)?;
    }
    Ok(if report.refused == 0 { ALL_FINE } else { SOME_REFUSED })
}

/// A report for scripts; its refused rows are those that are listed for people too.
fn told(report: &Report, texts: &Texts, locale: Locale) -> serde_json::Value {
    let outcome = match report.outcome {
        Outcome::Applied => "applied",
        Outcome::Preview => "preview",
        Outcome::Refused => "refused",
    };
    let rows = report.refusals.iter().map(|refusal| {
        let reason = texts.text(locale, refusal.reason.text_id(), &refusal.reason.args());
        let rule = refusal.reason.text_id().trim_start_matches("roster-row-");
        json!({ "line": refusal.line, "rule": rule, "reason": reason })
    });
    json!({
        "outcome": outcome,
        "rows": report.rows,
        "without_key": report.without_key,
        "added": report.counts.added,
        "changed": report.counts.changed,
        "unchanged": report.counts.unchanged,
        "lost": report.counts.lost,
        "refused": report.refused,
        "refusals": rows.collect::<Vec<_>>(),
    })
}

/// Writes a report for people: what happened, then every refused row that is listed.
pub fn print(report: &Report, texts: &Texts, locale: Locale, mut out: impl Write) -> std::io::Result<()> {
    let text = |id: &str| texts.text(locale, id, &[]);
    writeln!(
        out,
        "{}",
        text(match report.outcome {
            Outcome::Applied => "roster-report-applied",
            Outcome::Preview => "roster-report-preview",
            Outcome::Refused => "roster-report-not-applied",
        })
    )?;
    let counts = [
        ("added", report.counts.added.to_string()),
        ("changed", report.counts.changed.to_string()),
        ("unchanged", report.counts.unchanged.to_string()),
        ("lost", report.counts.lost.to_string()),
        ("refused", report.refused.to_string()),
    ];
    writeln!(out, "{}", texts.text(locale, "roster-report-counts", &counts))?;
    if report.without_key > 0 {
        let count = [("count", report.without_key.to_string())];
        writeln!(out, "{}", texts.text(locale, "roster-report-without-key", &count))?;
    }
    if report.refused == 0 {
        return Ok(());
    }
    writeln!(out, "\n{:>9}  {}", text("roster-report-line"), text("roster-report-reason"))?;
    for refusal in &report.refusals {
        let reason = texts.text(locale, refusal.reason.text_id(), &refusal.reason.args());
        writeln!(out, "{:>9}  {reason}", refusal.line)?;
    }
    let more = report.refused.saturating_sub(report.refusals.len() as u64);
    if more > 0 {
        writeln!(out, "{}", texts.text(locale, "roster-report-more", &[("count", more.to_string())]))?;
    }
    Ok(())
}

/// Writes a made-up roster of `count` people to `path`.
pub fn sample(insurer: &Insurer, count: usize, seed: u64, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    sample::write_roster(std::io::BufWriter::new(file), insurer, count, seed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, Entropy},
        members::login_id::tests::insurer,
        storage::Db,
    };

    async fn run(locale: Locale, file: &[u8]) -> (anyhow::Result<u8>, String) {
        run_shown(locale, false, file).await
    }

    async fn run_shown(locale: Locale, as_json: bool, file: &[u8]) -> (anyhow::Result<u8>, String) {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let (clock, entropy, insurer) = (Clock::system(), Entropy::system(), insurer());
        let roster = RosterImport {
            db: &db,
            clock: &clock,
            entropy: &entropy,
            insurer: &insurer,
            file_name: "roster.csv",
            actor: "operator:test",
            complete: false,
            preview: false,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.csv");
        std::fs::write(&path, file).unwrap();
        let mut out = Vec::new();
        let code = import(&roster, &path, (&Texts::load().unwrap(), locale), as_json, &mut out).await;
        (code, String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn a_sample_imports_with_exit_code_zero() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.csv");
        sample(&insurer(), 20, 1, &path).unwrap();
        let (code, report) = run(Locale::En, &std::fs::read(&path).unwrap()).await;
        assert_eq!(code.unwrap(), ALL_FINE);
        let counts = "20 added, 0 changed, 0 unchanged, 0 lost eligibility, 0 refused";
        assert_eq!(report, format!("The roster was imported.\n{counts}\n"));
    }

    #[tokio::test]
    async fn refused_rows_are_listed_with_exit_code_two_and_without_what_they_say() {
        let file = "記号,番号,区分,氏名カナ,生年月日\n91,1,一般被保険者,山田,19990121\n91,2,一般被保険者,ヤマ,19990121\n";
        let (code, report) = run(Locale::Ja, file.as_bytes()).await;
        assert_eq!(code.unwrap(), SOME_REFUSED);
        assert!(report.contains("\n        2  氏名カナはカタカナで、空にはできません。\n"), "{report}");
        assert!(!report.contains("山田") && !report.contains("1999"), "{report}");
        assert!(report.contains("個人キーのない行が1行あります"), "{report}");
    }

    #[tokio::test]
    async fn a_script_reads_the_same_as_json() {
        let file = "記号,番号,区分,氏名カナ,生年月日\n91,1,一般被保険者,山田,19990121\n91,2,一般被保険者,ヤマ,19990121\n";
        let (code, report) = run_shown(Locale::En, true, file.as_bytes()).await;
        assert_eq!(code.unwrap(), SOME_REFUSED);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["outcome"], "applied");
        assert_eq!((&report["added"], &report["refused"]), (&1.into(), &1.into()));
        assert_eq!(
            (&report["refusals"][0]["line"], &report["refusals"][0]["rule"]),
            (&2.into(), &"kana".into())
        );
    }

    #[tokio::test]
    async fn a_refused_file_is_an_error_in_the_operators_language() {
        let (code, report) = run(Locale::En, b"symbol,number\n").await;
        assert_eq!(code.unwrap_err().to_string(), "The header lacks the column 区分.");
        assert_eq!(report, "");
    }
}
