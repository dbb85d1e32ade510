//! `operator create`, `list`, `role`, `disable`, `enable` and `reset`: the console's operators from the machine,
//! the first of them too.

use std::io::{BufRead, Write};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    app::App,
    audit::{Act, Actor, Reason},
    clock::Timestamp,
    operators::{Operator, Role, manage::NewOperator, setup::SetupLink},
    texts::Locale,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Adds an operator; prints the one-time link with which password and second factor are set up.
    Create(CreateArgs),
    /// Lists the operators.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gives an operator another role, or another insurer.
    Role {
        /// Whom, and why.
        #[command(flatten)]
        whom: Whom,
        /// What for.
        #[command(flatten)]
        rights: Rights,
    },
    /// Signs an operator out and lets nobody in any more.
    Disable(Whom),
    /// Lets a disabled operator in again.
    Enable(Whom),
    /// Takes password, second factor and sessions away; prints a link for another setup.
    Reset {
        /// Whom, and why.
        #[command(flatten)]
        whom: Whom,
        /// Mail the link instead of printing it.
        #[arg(long)]
        mail: bool,
    },
}

/// Whom an act concerns, and why.
#[derive(Clone, Debug, Args)]
pub struct Whom {
    /// E-mail address of the operator.
    pub email: String,
    /// Why, for the audit; without personal data.
    #[arg(long)]
    pub reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    pub operator: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What an operator is there for.
#[derive(Clone, Debug, Args)]
pub struct Rights {
    /// administrator, office, `client_manager` or auditor.
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// Portal code of the one insurer; without it, all.
    #[arg(long)]
    pub insurer: Option<String>,
}

/// Options of `operator create`.
#[derive(Clone, Debug, Args)]
pub struct CreateArgs {
    /// Whom, and why.
    #[command(flatten)]
    pub whom: Whom,
    /// What for.
    #[command(flatten)]
    pub rights: Rights,
    /// Name of the operator, for colleagues.
    #[arg(long)]
    pub name: String,
    /// Language of mails to the operator.
    #[arg(long, default_value = "ja", value_parser = super::locale)]
    pub language: Locale,
    /// Mail the link instead of printing it.
    #[arg(long, conflicts_with = "password_stdin")]
    pub mail: bool,
    /// Read the password from the first line of standard input; prints the second factor and the recovery
    /// codes instead of a link.
    #[arg(long)]
    pub password_stdin: bool,
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| format!("must be one of {}", Role::ALL.map(Role::as_str).join(", ")))
}

/// Runs one of the commands; `input` is where a password would come from.
pub async fn run(
    app: &App,
    command: OperatorCommand,
    input: impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match command {
        OperatorCommand::Create(args) => create(app, &args, input, out).await,
        OperatorCommand::List { json } => list(app, json, out).await,
        OperatorCommand::Role { whom, rights } => {
            let (target, actor, reason) = whom.read(app).await?;
            let act = Act { actor: &actor, reason: &reason };
            app.operators.change_role(&target, (rights.role, rights.insurer.as_deref()), act).await??;
            whom.say(
                &json!({ "done": "role_changed", "email": target.email, "role": rights.role.as_str() }),
                out,
            )
        }
        OperatorCommand::Disable(whom) => {
            let (target, actor, reason) = whom.read(app).await?;
            app.operators.disable(&target, Act { actor: &actor, reason: &reason }).await??;
            whom.say(&json!({ "done": "disabled", "email": target.email }), out)
        }
        OperatorCommand::Enable(whom) => {
            let (target, actor, reason) = whom.read(app).await?;
            app.operators.enable(&target, Act { actor: &actor, reason: &reason }).await??;
            whom.say(&json!({ "done": "enabled", "email": target.email }), out)
        }
        OperatorCommand::Reset { whom, mail } => {
            let (target, actor, reason) = whom.read(app).await?;
            let act = Act { actor: &actor, reason: &reason };
            let link = app.operators.reset_factors(&target, mail, act).await??;
            whom.say(&with_link(json!({ "done": "reset", "email": target.email }), &link, mail), out)
        }
    }
}

async fn create(
    app: &App,
    args: &CreateArgs,
    mut input: impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (actor, reason) = args.whom.why()?;
    let act = Act { actor: &actor, reason: &reason };
    let new = NewOperator {
        email: args.whom.email.clone(),
        name: args.name.clone(),
        role: args.rights.role,
        insurer: args.rights.insurer.clone(),
        locale: args.language,
    };
    let done = |operator: &Operator| json!({ "done": "created", "email": operator.email, "id": operator.id });
    if args.password_stdin {
        let mut line = String::new();
        input.read_line(&mut line).context("the password could not be read")?;
        let password = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
        let (operator, ready) = app.operators.create_ready(&new, &password, act).await??;
        let mut shown = done(&operator);
        shown["totp"] = json!(ready.totp_uri);
        shown["recovery_codes"] = json!(ready.recovery_codes.join(" "));
        return args.whom.say(&shown, out);
    }
    let (operator, link) = app.operators.invite(&new, args.mail, act).await??;
    args.whom.say(&with_link(done(&operator), &link, args.mail), out)
}

async fn list(app: &App, as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (mut after, mut all) = (String::new(), Vec::new());
    loop {
        let page = app.operators.operators(None, &after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.email.to_lowercase();
        all.extend(page);
    }
    let state = |one: &Operator| match one {
        one if one.disabled_at.is_some() => "disabled",
        one if one.is_active() => "active",
        _ => "waiting",
    };
    if as_json {
        let shown: Vec<Value> = all
            .iter()
            .map(|one| {
                json!({
                    "id": one.id,
                    "email": one.email,
                    "name": one.name,
                    "role": one.role.as_str(),
                    "insurer": one.insurer,
                    "state": state(one),
                    "signed_in_at": one.signed_in_at.map(instant),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    for one in &all {
        let scope = one.insurer.as_deref().unwrap_or("all");
        writeln!(out, "{}  {}  {}  {}  {}", one.email, one.role.as_str(), scope, state(one), one.name)?;
    }
    if all.is_empty() {
        writeln!(out, "there is no operator; see: kenpos-idp operator create --help")?;
    }
    Ok(())
}

fn with_link(mut shown: Value, link: &SetupLink, mailed: bool) -> Value {
    shown["valid_until"] = json!(instant(link.deadline));
    if mailed {
        shown["link"] = json!("mailed");
    } else {
        shown["link"] = json!(link.url.as_str());
    }
    shown
}

impl Whom {
    fn why(&self) -> anyhow::Result<(Actor, Reason)> {
        Ok((Actor::command_line(&self.operator), Reason::parse(&self.reason)?))
    }

    async fn read(&self, app: &App) -> anyhow::Result<(Operator, Actor, Reason)> {
        let (actor, reason) = self.why()?;
        let found = app.operators.operator_by_email(&self.email).await?;
        Ok((found.context("no operator has this e-mail address")?, actor, reason))
    }

    fn say(&self, shown: &Value, out: &mut impl Write) -> anyhow::Result<()> {
        super::operate::say(shown, self.json, out)
    }
}

fn instant(at: Timestamp) -> String {
    super::operate::instant(at)
}
