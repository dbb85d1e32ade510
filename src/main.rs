//! The `kenpos-idp` command.

use std::process::ExitCode;

use clap::Parser as _;
use kenpos_idp::cli::{Cli, output};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::refuse(&error, output::asks_for_json(std::env::args_os())),
    };
    let as_json = cli.prints_json();
    cli.run().unwrap_or_else(|error| output::fail(&error, as_json))
}
