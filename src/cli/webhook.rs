//! `webhook create`, `list`, `show`, `update`, `rotate-secret`, `disable`, `enable` and `test`.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    operate::{instant, say},
    queue::{all, shown},
};
use crate::{
    app::App,
    audit::{Act, Actor, Reason},
    clients::webhook::{EventKind, OVERLAP, Webhook},
    operators::webhooks::Wanted,
};

/// Messages that `webhook show` lists.
const LAST: i64 = 20;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Adds a webhook and shows its secret, once.
    Create {
        /// What it is.
        #[command(flatten)]
        wanted: WantedArgs,
        /// Why.
        #[command(flatten)]
        why: Why,
    },
    /// Lists the webhooks.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a webhook with its last messages.
    Show {
        /// Id, as `webhook list` shows it.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Changes all that is said of a webhook but its secrets.
    Update {
        /// Id, as `webhook list` shows it.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// What it is from now on.
        #[command(flatten)]
        wanted: WantedArgs,
        /// Why.
        #[command(flatten)]
        why: Why,
    },
    /// Gives a webhook a new secret and shows it, once; the one of before signs beside it for a day.
    RotateSecret(ActArgs),
    /// Tells a webhook nothing any more.
    Disable(ActArgs),
    /// Tells a webhook again what happens from now on.
    Enable(ActArgs),
    /// Sends a test message.
    Test(ActArgs),
}

/// What a webhook is.
#[derive(Clone, Debug, Args)]
pub struct WantedArgs {
    /// What operators call it.
    #[arg(long)]
    pub name: String,
    /// Where messages go, with https.
    #[arg(long)]
    pub url: String,
    /// What it is told of, such as member.activated; may be given several times.
    #[arg(long = "event", required = true, value_parser = event)]
    pub events: Vec<EventKind>,
    /// Portal code of the one insurer; without it, all.
    #[arg(long)]
    pub insurer: Option<String>,
    /// `client_id` of the app whose names for members it gets; without it, the provider's own subjects.
    #[arg(long)]
    pub client: Option<String>,
}

/// Why, and by whom.
#[derive(Clone, Debug, Args)]
pub struct Why {
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

/// Which one, and why.
#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// Id, as `webhook list` shows it.
    #[arg(allow_hyphen_values = true)]
    pub id: String,
    /// Why.
    #[command(flatten)]
    pub why: Why,
}

fn event(name: &str) -> Result<EventKind, String> {
    EventKind::parse(name)
        .ok_or_else(|| format!("must be one of {}", EventKind::ALL.map(EventKind::name).join(", ")))
}

impl WantedArgs {
    fn wanted(self, app: &App) -> anyhow::Result<Wanted> {
        app.egress.check(&self.url)?;
        let Self { name, url, events, insurer, client: client_id } = self;
        let events = EventKind::ALL.into_iter().filter(|kind| events.contains(kind)).collect();
        Ok(Wanted { name, url, events, insurer, client_id })
    }
}

/// Runs a command.
pub async fn run(app: &App, command: WebhookCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let operators = &app.operators;
    match command {
        WebhookCommand::Create { wanted, why } => {
            let (actor, reason) = why.parts()?;
            let act = Act { actor: &actor, reason: &reason };
            let (webhook, secret) = operators.add_webhook(wanted.wanted(app)?, act).await??;
            say(&json!({ "done": "created", "id": webhook.id, "secret": secret }), why.json, out)
        }
        WebhookCommand::List { json } => {
            let list = operators.webhooks(None).await?;
            all(&list.iter().map(|one| described(app, one)).collect::<Vec<_>>(), json, out)
        }
        WebhookCommand::Show { id, json } => {
            let webhook = find(app, &id).await?;
            let rows = operators.webhook_deliveries(&webhook, LAST).await?;
            let rows: Vec<Value> = rows
                .iter()
                .map(|(row, event)| {
                    let mut said = shown(row);
                    said["event"] = json!(event);
                    said
                })
                .collect();
            let mut said = described(app, &webhook);
            if json {
                said["deliveries"] = json!(rows);
                return say(&said, true, out);
            }
            say(&said, false, out)?;
            writeln!(out)?;
            all(&rows, false, out)
        }
        WebhookCommand::Update { id, wanted, why } => {
            let (actor, reason) = why.parts()?;
            let webhook = find(app, &id).await?;
            let act = Act { actor: &actor, reason: &reason };
            operators.change_webhook(webhook, wanted.wanted(app)?, act).await??;
            say(&json!({ "done": "changed", "id": id }), why.json, out)
        }
        WebhookCommand::RotateSecret(args) => rotate(app, &args, out).await,
        WebhookCommand::Disable(args) => enable(app, &args, false, out).await,
        WebhookCommand::Enable(args) => enable(app, &args, true, out).await,
        WebhookCommand::Test(args) => {
            let (actor, reason) = args.why.parts()?;
            let webhook = find(app, &args.id).await?;
            let delivery = operators.test_webhook(&webhook, Act { actor: &actor, reason: &reason }).await?;
            say(&json!({ "done": "queued", "delivery": delivery }), args.why.json, out)
        }
    }
}

impl Why {
    fn parts(&self) -> anyhow::Result<(Actor, Reason)> {
        Ok((Actor::command_line(&self.operator), Reason::parse(&self.reason)?))
    }
}

async fn find(app: &App, id: &str) -> anyhow::Result<Webhook> {
    app.operators.webhook(id).await?.with_context(|| format!("there is no webhook {id}"))
}

async fn rotate(app: &App, args: &ActArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = args.why.parts()?;
    let webhook = find(app, &args.id).await?;
    let act = Act { actor: &actor, reason: &reason };
    let secret = app.operators.rotate_webhook_secret(webhook, act).await??;
    let until = instant(app.now().plus(OVERLAP));
    let said = json!({ "done": "rotated", "id": args.id, "secret": secret, "old_secret_until": until });
    say(&said, args.why.json, out)
}

async fn enable(app: &App, args: &ActArgs, enabled: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (actor, reason) = args.why.parts()?;
    let webhook = find(app, &args.id).await?;
    let act = Act { actor: &actor, reason: &reason };
    app.operators.enable_webhook(webhook, enabled, act).await??;
    let done = if enabled { "enabled" } else { "disabled" };
    say(&json!({ "done": done, "id": args.id }), args.why.json, out)
}

fn described(app: &App, webhook: &Webhook) -> Value {
    let events: Vec<&str> = webhook.events.iter().map(|kind| kind.name()).collect();
    json!({
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "events": events.join(" "),
        "insurer": webhook.insurer,
        "client": webhook.client_id,
        "secrets": webhook.secrets_in_use(app.now()),
        "state": if webhook.disabled_at.is_some() { "disabled" } else { "enabled" },
        "created": instant(webhook.created_at),
    })
}
