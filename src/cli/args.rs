//! The command line: commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{audit, client, demo, keys, operate, operator, people, queue, roster_log, webhook};
use crate::texts::Locale;

/// OpenID Connect identity provider for members of Japanese health insurance societies.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML). Every key can also be set in the environment:
    /// `KENPOS_SERVER__ISSUER` is `server.issuer`.
    #[arg(long, short, global = true, env = "KENPOS_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON: the result on standard output, an error as `{"error": …}` on standard error.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
pub(super) enum KeysCommand {
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
pub(super) enum RosterCommand {
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
pub(super) struct ImportArgs {
    /// The CSV file; see the README for its header.
    pub(super) file: PathBuf,
    /// Portal code of the insurer; may be left out if there is only one.
    #[arg(long)]
    pub(super) insurer: Option<String>,
    /// The file is the full roster: people who are not in it lose their eligibility.
    #[arg(long)]
    pub(super) full: bool,
    /// Only say what would happen.
    #[arg(long)]
    pub(super) preview: bool,
    /// Who imports it, for the record.
    #[arg(long, env = "USER", default_value = "cli")]
    pub(super) operator: String,
    /// Language of the report.
    #[arg(long, default_value = "ja", value_parser = super::locale)]
    pub(super) language: Locale,
}

#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
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
pub(super) enum PreferencesCommand {
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
