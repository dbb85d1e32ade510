//! The letter that carries an activation code, as a file.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::Context as _;

use crate::{
    admin::letter::Letter, app::App, clock::Timestamp, config::Insurer,
    members::activation_code::ActivationCode,
};

/// Writes the letter to a new file that only its owner may read.
pub fn write(
    app: &App,
    insurer: &Insurer,
    login_id: &str,
    (code, until): (&ActivationCode, Timestamp),
    file: &Path,
) -> anyhow::Result<()> {
    let html = Letter::new(app, login_id, code, until).file(app, insurer)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).with_context(|| format!("{} cannot be written", file.display()))?;
    out.write_all(html.as_bytes())?;
    Ok(())
}
