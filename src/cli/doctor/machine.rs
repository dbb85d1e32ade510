//! What the machine has: room on its disk, and time and memory for passwords.

use std::{
    io::Write,
    num::NonZero,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::Instant,
};

use super::Report;
use crate::{clock::Entropy, config::Config, crypto::Passwords};

const GIB: u64 = 1 << 30;
/// Free bytes below which it is told of, and below which it is a failure.
const LITTLE: u64 = 2 * GIB;
const TOO_LITTLE: u64 = GIB / 4;
/// Percent of a disk, likewise, unless that is plenty.
const LITTLE_PERCENT: u64 = 15;
const PLENTY: u64 = 20 * GIB;

/// Room for the SQLite file. What PostgreSQL has is for its own machine to tell.
pub(super) fn disk(config: &Config, report: &mut Report<'_, impl Write>) -> std::io::Result<()> {
    let Some(folder) = folder_of(&config.database.url) else { return Ok(()) };
    let what = "disk";
    let disk = match rustix::fs::statvfs(folder.as_path()) {
        Ok(disk) => disk,
        Err(rustix::io::Errno::ACCESS) => return Ok(()), // told of the file itself
        Err(error) => {
            let advice = "the folder of database.url is made at the first start; its parent must be there";
            return report.warn(what, &format!("{}: {error}", folder.display()), advice);
        }
    };
    let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    let percent = (free * 100).checked_div(all).unwrap_or(0);
    let finding = format!("{} MiB ({percent} %) are free for {}", free >> 20, folder.display());
    let advice = "make room: when the disk is full, nobody can sign in; docs/sizing.md says what is needed";
    if free < TOO_LITTLE {
        report.bad(what, &finding, advice)
    } else if free < LITTLE || (percent < LITTLE_PERCENT && free < PLENTY) {
        report.warn(what, &finding, advice)
    } else {
        report.good(what, &finding)
    }
}

/// The SQLite file; none in memory or for another engine.
pub(super) fn file_of(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?.trim_start_matches("//").split('?').next()?;
    (!path.is_empty() && path != ":memory:").then(|| Path::new(path))
}

/// Whether that file is there, and for its owner alone.
pub(super) fn is_there(file: &Path, report: &mut Report<'_, impl Write>) -> std::io::Result<bool> {
    let (what, name) = ("database", file.display());
    match file.metadata() {
        Ok(found) => {
            let folder = file.canonicalize()?.parent().map(Path::metadata).transpose()?;
            // Whoever may not enter the folder may not read the file either.
            let (entered, read) = (folder.map_or(0, |folder| folder.mode()) & 0o011, found.mode() & 0o044);
            if entered != 0 && read != 0 {
                let finding =
                    format!("others on this machine can read {name} (mode {:04o})", found.mode() & 0o7777);
                report.warn(
                    what,
                    &finding,
                    "it holds personal data: chmod 600 it, and its -wal and -shm files",
                )?;
            }
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let advice = "serve makes it when it starts; if there should be one, check database.url";
            report.warn(what, &format!("{name} is not there yet"), advice)?;
            Ok(false)
        }
        Err(error) => {
            let advice =
                "run doctor as the user of the service, who must be able to enter every folder of that path";
            report.bad(what, &format!("{name}: {error}"), advice)?;
            Ok(false)
        }
    }
}

/// The folder of that file.
fn folder_of(url: &str) -> Option<PathBuf> {
    let folder = file_of(url)?.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or_else(|| Path::new(".")).to_owned())
}

/// What an Argon2id run takes here, and how many sign-ins that makes.
pub(super) async fn passwords(
    config: &Config,
    entropy: &Entropy,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    const RUNS: u32 = 3;
    let (what, settings) = ("passwords", &config.passwords);
    let measured = async {
        let passwords = Passwords::new(settings, entropy.clone())?;
        let started = Instant::now();
        for _ in 0..RUNS {
            passwords.hash(entropy.secret().into()).await?;
        }
        Ok::<_, crate::crypto::password::PasswordError>(started.elapsed() / RUNS)
    };
    let each = match measured.await {
        Ok(each) => each,
        Err(error) => {
            let advice = "check [passwords], and the memory of this machine";
            return Ok(report.bad(what, &error.to_string(), advice)?);
        }
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    let at_once = u32::try_from(settings.concurrent.min(cores)).unwrap_or(u32::MAX);
    let per_second = f64::from(at_once) / each.as_secs_f64();
    let finding = format!(
        "an Argon2id run takes {} ms here: at most {per_second:.0} sign-ins a second",
        each.as_millis()
    );
    let wanted = u64::from(settings.memory_kib) * settings.concurrent as u64;
    match available_kib() {
        Some(available) if wanted > available / 2 => {
            let finding = format!("{finding}, with {} of {} MiB free", wanted >> 10, available >> 10);
            report.warn(what, &finding, "lower passwords.concurrent, or give this machine more memory")?;
        }
        _ if each.as_millis() > 1000 => {
            let advice =
                "members wait long: lower passwords.iterations or memory_kib, or take a faster machine";
            report.warn(what, &finding, advice)?;
        }
        _ => report.good(what, &finding)?,
    }
    Ok(())
}

/// Memory that programs can have without swapping, in KiB, where the system tells.
fn available_kib() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_database_is_found() {
        for (url, folder) in [
            ("sqlite://data/kenpos.sqlite", Some("data")),
            ("sqlite:///var/lib/kenpos/data/kenpos.sqlite?mode=rwc", Some("/var/lib/kenpos/data")),
            ("sqlite://kenpos.sqlite", Some(".")),
            ("sqlite::memory:", None),
            ("postgres://db/kenpos", None),
        ] {
            assert_eq!(folder_of(url).as_deref(), folder.map(Path::new), "{url}");
        }
    }
}
