//! Attacks on a running server, over HTTP alone: `make attacks`.
//!
//! Without options it starts the program that was built, as a demo in a folder of its own, and attacks that.
//! `docs/attacks.md` says how to attack another one, and where the attacks are tested that cannot be seen from outside.
//! The exit code is 1 if one answer is not as expected.

#![allow(
    clippy::large_futures,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::unchecked_time_subtraction,
    reason = "as in the tests: tables of cases, read from top to bottom"
)]

#[allow(unused_imports, unused_macros, reason = "the tests use all of it")]
#[path = "../../tests/support/mod.rs"]
mod support;

mod accounts;
mod availability;
mod browser;
mod redirects;
mod report;
mod target;
mod tokens;

use std::{panic::AssertUnwindSafe, process::ExitCode};

use clap::Parser;
use futures_util::FutureExt as _;

use report::Report;
use target::Target;

/// What is attacked.
#[derive(Debug, Parser)]
#[command(about = "Attacks a running server and says what it answered")]
pub struct Options {
    /// The issuer of a server; without it a demo is started.
    #[arg(long)]
    url: Option<String>,
    /// A client that may use `client_secret_basic` and refresh tokens.
    #[arg(long, requires = "redirect_uri")]
    client_id: Option<String>,
    /// Its secret.
    #[arg(long)]
    client_secret: Option<String>,
    /// A redirect URI of it.
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The login ID of an active member.
    #[arg(long, requires = "password")]
    login_id: Option<String>,
    /// Its password.
    #[arg(long)]
    password: Option<String>,
    /// Print JSON in place of the table.
    #[arg(long)]
    json: bool,
    /// Only the cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Runs the cases of a part; a request that fails altogether is a case that differs.
macro_rules! part {
    ($report:ident, $target:ident, $name:literal, $run:path) => {
        $report.begin($name);
        let went = AssertUnwindSafe($run(&$target, &mut $report)).catch_unwind().await;
        if let Err(panic) = went {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            $report.differs(concat!($name, ": goes on to its end"), &said.unwrap_or_default());
        }
    };
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::new(&options.only);
    let target = Target::open(&options).await;
    part!(report, target, "redirects", redirects::run);
    part!(report, target, "tokens", tokens::run);
    part!(report, target, "browser", browser::run);
    part!(report, target, "accounts", accounts::run);
    // These take the budget of guesses of this address, so they come last.
    part!(report, target, "availability", availability::run);
    part!(report, target, "budgets", accounts::budgets);
    drop(target);
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    ExitCode::from(u8::from(report.failed()))
}
