//! The commands of the binary.

mod args;
pub mod audit;
pub mod client;
pub mod deletion;
pub mod demo;
pub mod doctor;
pub mod keys;
pub mod letter;
pub mod member;
pub mod operate;
pub mod operator;
pub mod output;
pub mod people;
pub mod preferences;
pub mod queue;
pub mod roster;
pub mod roster_log;
pub mod serve;
mod tools;
pub mod webhook;

use std::{
    io::{self, BufReader, stdin, stdout},
    process::ExitCode,
    thread::available_parallelism,
};

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use self::{
    args::{Command, ImportArgs, KeysCommand, MemberCommand, PreferencesCommand, RosterCommand},
    tools::{insurer_of, locale, office, typed_of},
};
use crate::{
    app::App,
    audit::Actor,
    clock::{Clock, Entropy},
    config::Config,
    egress::house::Collector,
    members::roster::RosterImport,
    storage::{self, Db},
    telemetry::{self, traces::Traces},
    texts::Texts,
};

pub use self::{args::Cli, tools::Tools};

/// On one core, one thread does everything: a pool of one would only hand work to itself.
fn runtime() -> io::Result<Runtime> {
    let alone = available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = if alone { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().build()
}

impl Cli {
    /// Whether it prints JSON, wherever on the command line that was asked for.
    pub const fn prints_json(&self) -> bool {
        self.json
    }

    /// Runs the command to its end.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        runtime()?.block_on(self.dispatch())
    }

    #[expect(clippy::too_many_lines, reason = "a line or two a command")]
    async fn dispatch(self) -> anyhow::Result<ExitCode> {
        let (file, as_json) = (self.config.as_deref(), self.json);
        let out = &mut stdout();
        match self.command {
            Command::Demo(args) => Box::pin(demo::run(&args)).await?,
            Command::Doctor => return doctor::run(file, as_json, out).await,
            Command::Serve => serve(Config::load(file)?).await?,
            Command::Migrate => {
                let config = Config::load(file)?;
                let db = Db::open(&config.database.url, config.database.connections).await?;
                db.migrate().await?;
                let sentence = format!("the schema of the {} database is up to date", db.engine());
                output::tell(
                    &sentence,
                    || json!({ "done": "migrated", "database": db.engine() }),
                    as_json,
                    out,
                )?;
            }
            Command::Backup { file: target } => {
                // As it is: a backup comes before a migration.
                let config = Config::load(file)?;
                let db = Db::open(&config.database.url, config.database.connections).await?;
                let bytes = storage::backup::write(&db, &target).await?;
                db.close().await;
                let sentence = format!("a copy of the database is in {} ({bytes} bytes)", target.display());
                let shown =
                    || json!({ "done": "copied", "bytes": bytes, "file": target.display().to_string() });
                output::tell(&sentence, shown, as_json, out)?;
            }
            Command::Keys(KeysCommand::List { json }) => {
                keys::list(&Tools::open(file).await?.db, json, out).await?;
            }
            Command::Keys(KeysCommand::Rotate(args)) => {
                keys::rotate(&Tools::open(file).await?.signing().await?, &args, out).await?;
            }
            Command::Keys(KeysCommand::Retire(args)) => {
                keys::retire(&Tools::open(file).await?.signing().await?, &args, out).await?;
            }
            Command::Webhook(command) => webhook::run(&office(file).await?, command, out).await?,
            Command::Queue(command) => queue::run(&office(file).await?, command, out).await?,
            Command::Client(command) => client::run(&Tools::open(file).await?, command, out).await?,
            Command::Roster(RosterCommand::Import(args)) => {
                return Ok(ExitCode::from(import(&Tools::open(file).await?, &args, as_json).await?));
            }
            Command::Roster(RosterCommand::Imports(args)) => {
                roster_log::imports(&office(file).await?, &args, out).await?;
            }
            Command::Roster(RosterCommand::Undo(args)) => {
                roster_log::undo(&office(file).await?, &args, out).await?;
            }
            Command::Roster(RosterCommand::Sample { file: target, count, seed, insurer }) => {
                let config = Config::load(file)?;
                roster::sample(insurer_of(&config, insurer.as_deref())?, count, seed, &target)?;
                let sentence = format!("{count} made-up people are in {}", target.display());
                let shown =
                    || json!({ "done": "written", "people": count, "file": target.display().to_string() });
                output::tell(&sentence, shown, as_json, out)?;
            }
            Command::Member(MemberCommand::Show { login_id, insurer, json }) => {
                member::show(&Tools::open(file).await?, (&login_id, insurer.as_deref()), json, out).await?;
            }
            Command::Preferences(PreferencesCommand::Export { file: target, insurer, operator }) => {
                let tools = Tools::open(file).await?;
                let insurer = insurer_of(&tools.config, insurer.as_deref())?;
                let rows = preferences::export(&tools, insurer, &operator, &target).await?;
                let sentence = format!("{rows} wanted topics are in {}", target.display());
                let shown =
                    || json!({ "done": "exported", "rows": rows, "file": target.display().to_string() });
                output::tell(&sentence, shown, as_json, out)?;
            }
            Command::Operator(command) => {
                operator::run(&office(file).await?, command, BufReader::new(stdin()), out).await?;
            }
            Command::Audit(command) => return audit(&office(file).await?, command, as_json).await,
            Command::Member(MemberCommand::Reset { act, code }) => {
                operate::reset(&office(file).await?, &act, &code, out).await?;
            }
            Command::Member(MemberCommand::Reissue { act, code }) => {
                operate::reissue(&office(file).await?, &act, &code, out).await?;
            }
            Command::Member(MemberCommand::Unlock(act)) => {
                operate::unlock(&office(file).await?, &act, out).await?;
            }
            Command::Member(MemberCommand::EndSessions(act)) => {
                operate::end_sessions(&office(file).await?, &act, out).await?;
            }
            Command::Member(MemberCommand::Unfreeze(act)) => {
                operate::unfreeze(&office(file).await?, &act, out).await?;
            }
            Command::Member(MemberCommand::DeletionRequests { insurer, json }) => {
                deletion::list(&office(file).await?, insurer.as_deref(), json, out).await?;
            }
            Command::Member(MemberCommand::Delete { act, dismiss, unasked }) => {
                deletion::delete(&office(file).await?, &act, (dismiss, unasked), out).await?;
            }
            Command::Member(MemberCommand::Search(args)) => {
                people::search(&office(file).await?, &args, out).await?;
            }
            Command::Member(MemberCommand::Timeline(args)) => {
                people::timeline(&office(file).await?, &args, out).await?;
            }
            Command::Member(MemberCommand::Export(args)) => {
                people::export(&office(file).await?, &args.act, &args.file, out).await?;
            }
            Command::Member(MemberCommand::CorrectEmail { act, email }) => {
                people::correct_email(&office(file).await?, &act, &email, out).await?;
            }
            Command::Member(MemberCommand::Freeze(act)) => {
                people::freeze(&office(file).await?, &act, out).await?;
            }
            Command::Member(MemberCommand::WithdrawApp { act, client }) => {
                people::withdraw_app(&office(file).await?, &act, &client, out).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn audit(app: &App, command: audit::AuditCommand, as_json: bool) -> anyhow::Result<ExitCode> {
    match command {
        audit::AuditCommand::Verify(args) => {
            let sound = audit::verify(app, &args, &mut stdout()).await?;
            return Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        audit::AuditCommand::Export(args) => {
            let bytes = audit::export(app, &args).await?;
            let sentence = format!("{bytes} bytes are in {}", args.file.display());
            let shown =
                || json!({ "done": "exported", "bytes": bytes, "file": args.file.display().to_string() });
            output::tell(&sentence, shown, as_json, &mut stdout())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let traces = match &config.telemetry.traces_url {
        Some(url) => Some(Traces::start(url, config.telemetry.traces_ratio, Collector::new()?)?),
        None => None,
    };
    telemetry::start_logging(&config.telemetry, traces.as_ref())?;
    let metrics = telemetry::start_metrics()?;
    let app = App::open(config, Clock::system(), Entropy::system()).await?;
    serve::run(app, metrics).await?;
    if let Some(traces) = traces {
        tokio::task::spawn_blocking(move || traces.flush()).await?;
    }
    Ok(())
}

async fn import(tools: &Tools, args: &ImportArgs, as_json: bool) -> anyhow::Result<u8> {
    let insurer = insurer_of(&tools.config, args.insurer.as_deref())?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let import = RosterImport {
        db: &tools.db,
        clock: &tools.clock,
        entropy: &tools.entropy,
        insurer,
        file_name: &name,
        actor: &Actor::command_line(&args.operator).to_string(),
        complete: args.full,
        preview: args.preview,
    };
    roster::import(&import, &args.file, (&Texts::load()?, args.language), as_json, stdout()).await
}
