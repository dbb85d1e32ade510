//! The commands of the binary.

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
pub mod webhook;

use std::{
    io::{BufReader, stdin, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::{
    app::{App, open_database},
    audit::Actor,
    clock::{Clock, Entropy},
    config::{Config, Insurer},
    crypto::MasterKey,
    egress::house::Collector,
    members::{
        login_id::{self, Typed},
        roster::RosterImport,
    },
    oidc::signing::Signing,
    storage::{self, Db},
    telemetry::{self, traces::Traces},
    texts::{Locale, Texts},
};

/// OpenID Connect identity provider for members of Japanese health insurance societies.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML). Every key can also be set in the environment:
    /// `KENPOS_SERVER__ISSUER` is `server.issuer`.
    #[arg(long, short, global = true, env = "KENPOS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON: the result on standard output, an error as `{"error": …}` on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the provider.
    Serve,
    /// Runs the provider with a sample insurer, a mailbox and a sample health app; needs no service.
    Demo(demo::DemoArgs),
    /// Brings the schema of the database up to date.
    Migrate,
    /// Writes a copy of the `SQLite` database, also while the server runs; for PostgreSQL there is `pg_dump`.
    Backup {
        /// File to write; it must not exist.
        file: PathBuf,
    },
    /// Lists, rotates or withdraws the signing keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Registers, changes or lists relying parties.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Imports a roster, or writes a made-up one.
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Shows what is known of a member.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Exports what members want to be sent (配信設定).
    #[command(subcommand)]
    Preferences(PreferencesCommand),
    /// The operators of the console.
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Systems that are told of what happens (webhooks).
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// The queues of mails and of messages to other systems.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Verifies or exports the audit.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Checks the configuration against the services it names and explains each finding.
    Doctor,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Lists the signing keys with their states.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets the next keys sign and retires the active ones; running nodes follow within seconds.
    Rotate(keys::KeysArgs),
    /// Withdraws one key at once: what it signed is refused from now on. For a key that became known.
    Retire(keys::RetireArgs),
}

#[derive(Debug, Subcommand)]
enum RosterCommand {
    /// Imports a roster file (CSV, UTF-8 or `Shift_JIS`); exit code 2 if rows were refused.
    Import(ImportArgs),
    /// Lists the imports, the newest first.
    Imports(roster_log::ImportsArgs),
    /// Undoes the last import of an insurer: the roster becomes what it was before it.
    Undo(roster_log::UndoArgs),
    /// Writes a roster of made-up people.
    Sample {
        /// File to write.
        file: PathBuf,
        /// Number of people.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// The same seed gives the same people.
        #[arg(long, default_value_t = demo::SEED)]
        seed: u64,
        /// Portal code of the insurer.
        #[arg(long)]
        insurer: Option<String>,
    },
}

/// Options of `roster import`.
#[derive(Debug, Args)]
struct ImportArgs {
    /// The CSV file; see the README for its header.
    file: PathBuf,
    /// Portal code of the insurer; may be left out if there is only one.
    #[arg(long)]
    insurer: Option<String>,
    /// The file is the full roster: people who are not in it lose their eligibility.
    #[arg(long)]
    full: bool,
    /// Only say what would happen.
    #[arg(long)]
    preview: bool,
    /// Who imports it, for the record.
    #[arg(long, env = "USER", default_value = "cli")]
    operator: String,
    /// Language of the report.
    #[arg(long, default_value = "ja", value_parser = locale)]
    language: Locale,
}

#[derive(Debug, Subcommand)]
enum MemberCommand {
    /// Shows a member by login ID: state, eligibility, documents accepted, what happened last.
    Show {
        /// Login ID, such as 7132-091200001.
        login_id: String,
        /// Portal code of the insurer; may be left out if there is only one, or if the login ID names it.
        #[arg(long)]
        insurer: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Wipes a registration (初期化), so that the first-time registration starts anew. The subject and the
    /// receipts of accepted documents stay; the old address is told.
    Reset {
        #[command(flatten)]
        act: operate::ActArgs,
        #[command(flatten)]
        code: operate::CodeArgs,
    },
    /// Issues the temporary password again, or an activation code, to a person who is not registered.
    Reissue {
        #[command(flatten)]
        act: operate::ActArgs,
        #[command(flatten)]
        code: operate::CodeArgs,
    },
    /// Lets a login ID that pauses after wrong passwords be tried again at once.
    Unlock(operate::ActArgs),
    /// Signs a member out everywhere, and all apps.
    EndSessions(operate::ActArgs),
    /// Lets an account that a report has frozen be used again, or a registration that was reported begin again.
    Unfreeze(operate::ActArgs),
    /// Lists members who asked for the deletion of their account, the oldest request first.
    DeletionRequests {
        /// Portal code of the insurer; of all insurers if absent.
        #[arg(long)]
        insurer: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Deletes the account of a member who asked for it: address, name, password, choices and consents.
    Delete {
        #[command(flatten)]
        act: operate::ActArgs,
        /// Dismiss the request instead, and tell the member.
        #[arg(long)]
        dismiss: bool,
        /// Delete although the member has not asked on the account page: the request came by letter or telephone.
        #[arg(long, conflicts_with = "dismiss")]
        unasked: bool,
    },
    /// Looks for people by login ID, 記号-番号, beginning of the kana name or of the e-mail address, or subject.
    Search(people::SearchArgs),
    /// Lists everything that happened to a person, the newest first.
    Timeline(people::TimelineArgs),
    /// Writes everything that is held of a person to a JSON file (開示請求).
    Export(people::ExportArgs),
    /// Mails a link to a new address of a member; the change is complete when it is opened and the password given.
    CorrectEmail {
        #[command(flatten)]
        act: operate::ActArgs,
        /// The new address.
        #[arg(long)]
        email: String,
    },
    /// Stops an account until `unfreeze`, or the registration of somebody who has none.
    Freeze(operate::ActArgs),
    /// Withdraws the access that a member gave to an app.
    WithdrawApp {
        #[command(flatten)]
        act: operate::ActArgs,
        /// `client_id` of the app.
        #[arg(long)]
        client: String,
    },
}

#[derive(Debug, Subcommand)]
enum PreferencesCommand {
    /// Writes a CSV file (UTF-8) of who wants what: topic, e-mail, member, when and to which wording.
    Export {
        /// File to write.
        file: PathBuf,
        /// Portal code of the insurer; may be left out if there is only one.
        #[arg(long)]
        insurer: Option<String>,
        /// Who exports it, for the record.
        #[arg(long, env = "USER", default_value = "cli")]
        operator: String,
    },
}

fn locale(tag: &str) -> Result<Locale, String> {
    Locale::from_tag(tag).ok_or_else(|| "must be ja or en".to_owned())
}

impl Cli {
    /// Whether it prints JSON, wherever on the command line that was asked for.
    pub const fn prints_json(&self) -> bool {
        self.json
    }

    /// Runs the command to its end.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.dispatch())
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

/// The provider without its listeners, for acts that do what a page would do.
async fn office(file: Option<&Path>) -> anyhow::Result<App> {
    Ok(App::open(Config::load(file)?, Clock::system(), Entropy::system()).await?)
}

/// What commands beside `serve` work with.
pub struct Tools {
    /// The configuration.
    pub config: Config,
    /// The database, with its schema up to date.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
}

impl Tools {
    async fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let config = Config::load(file)?;
        let db = open_database(&config).await?;
        Ok(Self { config, db, clock: Clock::system(), entropy: Entropy::system() })
    }

    fn master(&self) -> anyhow::Result<MasterKey> {
        Ok(MasterKey::load_or_create(&self.config.keys.directory, &self.entropy)?)
    }

    async fn signing(&self) -> anyhow::Result<Signing> {
        let master = self.master()?;
        let (db, clock, entropy) = (self.db.clone(), self.clock.clone(), self.entropy.clone());
        Ok(Signing::load(db, master, clock, entropy, &self.config.keys).await?)
    }
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

/// A login ID and its insurer: the one that a number names, and no other may be named beside it; or the one
/// named with an address.
fn typed_of<'a>(config: &'a Config, typed: &str, code: Option<&str>) -> anyhow::Result<(Typed, &'a Insurer)> {
    let typed = login_id::parse(typed, &config.insurers).map_err(|error| {
        anyhow::anyhow!(Texts::load().map_or_else(
            |_| error.to_string(),
            |texts| texts.text(Locale::En, error.text_id(), &error.args()),
        ))
    })?;
    let named = match &typed {
        Typed::Number(id) => Some(id.insurer()),
        Typed::Email(_) => None,
    };
    if let (Some(named), Some(code)) = (named, code) {
        anyhow::ensure!(named == code, "this login ID is of insurer {named}, not of {code}");
    }
    let insurer = insurer_of(config, named.or(code))?;
    Ok((typed, insurer))
}

/// The insurer of a portal code, or the only one.
fn insurer_of<'a>(config: &'a Config, code: Option<&str>) -> anyhow::Result<&'a Insurer> {
    match (code, config.insurers.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => anyhow::bail!("there are several insurers; name one with --insurer"),
        (Some(code), insurers) => insurers
            .iter()
            .find(|insurer| insurer.code == code)
            .with_context(|| format!("no insurer of the configuration has the code {code}")),
    }
}
