//! `client`: relying parties registered, shown, changed, and those who may register themselves.

mod change;
mod initial_access_token;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{Tools, insurer_of};
use crate::{
    audit::{self, Actor, Event},
    clients::{ApplicationType, AuthMethod, Client, GrantType, Metadata, SubjectType},
    crypto::Algorithm,
    egress::Egress,
    oidc::registration::{check_sector, supported_with_api},
    storage::Db,
};

/// What to do with relying parties.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, for the life of the process")]
pub enum ClientCommand {
    /// Registers a relying party and shows its secret, once.
    Create(CreateArgs),
    /// Lists the relying parties.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a relying party with all that it registered.
    Show {
        /// `client_id`
        id: String,
    },
    /// Changes what a relying party registered; shows its new secret if its method came to need one.
    Update(change::UpdateArgs),
    /// Gives a relying party a new secret, and lets the old one work a while longer.
    RotateSecret(change::RotateArgs),
    /// Disables a relying party: nobody signs in to it, and its tokens are worth nothing.
    Disable {
        /// `client_id`
        id: String,
    },
    /// Enables a relying party again.
    Enable {
        /// `client_id`
        id: String,
    },
    /// Who may register relying parties without an operator.
    #[command(subcommand)]
    InitialAccessToken(initial_access_token::TokenCommand),
}

/// Runs a command.
pub async fn run(tools: &Tools, command: ClientCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        ClientCommand::Create(args) => create(tools, args, out).await,
        ClientCommand::List { json } => list(&tools.db, json, out).await,
        ClientCommand::Show { id } => change::show(tools, &id, out).await,
        ClientCommand::Update(args) => change::update(tools, args, out).await,
        ClientCommand::RotateSecret(args) => change::rotate_secret(tools, &args, out).await,
        ClientCommand::Disable { id } => change::set_enabled(tools, &id, false, out).await,
        ClientCommand::Enable { id } => change::set_enabled(tools, &id, true, out).await,
        ClientCommand::InitialAccessToken(command) => initial_access_token::run(tools, command, out).await,
    }
}

/// Options of `client create`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct CreateArgs {
    /// JSON file with metadata in the names of OIDC Registration, `-` for the standard input. The other
    /// options go before it.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// One more field of the metadata, such as `jwks_uri=https://app.example.jp/jwks`; the value is JSON or
    /// else a text; may be given several times.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
    /// Name that members see.
    #[arg(long, required_unless_present = "metadata")]
    name: Option<String>,
    /// Name on English pages.
    #[arg(long)]
    name_en: Option<String>,
    /// `client_id`; random if absent.
    #[arg(long)]
    id: Option<String>,
    /// Where authorization responses may go; may be given several times.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where members may go after they signed out; may be given several times.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Home page.
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// Page that starts a login.
    #[arg(long, value_name = "URI")]
    initiate_login_uri: Option<String>,
    /// Scopes that it may ask for; `openid profile email` if absent.
    #[arg(long)]
    scope: Option<String>,
    /// Makes it a program that uses the operators' API with these scopes, such as
    /// `admin:members.read admin:audit.read`, and for nothing else. With --insurer it reaches that insurer alone.
    #[arg(long, value_name = "SCOPES", conflicts_with_all = ["scope", "redirect_uris"])]
    api: Option<String>,
    /// How it proves itself at the token endpoint; `basic` if absent.
    #[arg(long, value_enum)]
    auth: Option<Method>,
    /// Runs on the member's own device: private-use schemes and any loopback port are allowed.
    #[arg(long)]
    native: bool,
    /// Gets the same subject as other public-subject clients, so that they can compare members.
    #[arg(long)]
    public_subject: bool,
    /// Sector of pairwise subjects, when the redirect URIs have more than one host.
    #[arg(long)]
    sector: Option<String>,
    /// JWS algorithm of ID tokens.
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<Algorithm>,
    /// Runs a 健康保険事業, so that it may ask for `insured_number` (健康保険法 §194-2).
    #[arg(long)]
    health_insurance_business: bool,
    /// Lets a confidential client go without PKCE; only for old software.
    #[arg(long)]
    pkce_optional: bool,
    /// Portal code of the insurer whose members alone may sign in to it, or which --api alone reaches.
    #[arg(long)]
    insurer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// [`AuthMethod`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Method {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
    /// `client_secret_jwt`
    SecretJwt,
    /// `private_key_jwt`
    PrivateKeyJwt,
    /// `none`: a public client
    None,
}

impl From<Method> for AuthMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Basic => Self::ClientSecretBasic,
            Method::Post => Self::ClientSecretPost,
            Method::SecretJwt => Self::ClientSecretJwt,
            Method::PrivateKeyJwt => Self::PrivateKeyJwt,
            Method::None => Self::None,
        }
    }
}

impl CreateArgs {
    /// The file, then the single fields, then the options that have a name of their own.
    fn metadata(&self) -> anyhow::Result<Metadata> {
        let mut fields = self.metadata.as_deref().map(file).transpose()?.unwrap_or_default();
        fields.extend(self.fields.iter().cloned());
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        let some = |uris: &Vec<String>| (!uris.is_empty()).then(|| json!(uris));
        let when = |holds: bool, value: Value| holds.then_some(value);
        set("client_name", self.name.as_ref().map(|name| json!(name)));
        set("client_name#en", self.name_en.as_ref().map(|name| json!(name)));
        set("redirect_uris", some(&self.redirect_uris));
        set("post_logout_redirect_uris", some(&self.post_logout_redirect_uris));
        set("client_uri", self.client_uri.as_ref().map(|uri| json!(uri)));
        set("initiate_login_uri", self.initiate_login_uri.as_ref().map(|uri| json!(uri)));
        set("token_endpoint_auth_method", self.auth.map(|method| json!(AuthMethod::from(method))));
        set("application_type", when(self.native, json!(ApplicationType::Native)));
        set("scope", self.scope.as_ref().map(|scope| json!(scope)));
        if let Some(scopes) = &self.api {
            set("scope", Some(json!(scopes)));
            set("grant_types", Some(json!([GrantType::ClientCredentials])));
            set("response_types", Some(json!([])));
        }
        set("subject_type", when(self.public_subject, json!(SubjectType::Public)));
        set("sector", self.sector.as_ref().map(|sector| json!(sector)));
        set("id_token_signed_response_alg", self.id_token_alg.map(|alg| json!(alg)));
        set("health_insurance_business", when(self.health_insurance_business, json!(true)));
        set("pkce_optional", when(self.pkce_optional, json!(true)));
        set("insurer", self.insurer.as_ref().map(|code| json!(code)));
        fields.entry("scope").or_insert_with(|| json!("openid profile email"));
        read(fields)
    }
}

/// Reads `FIELD=VALUE`.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "must be FIELD=VALUE".to_owned())?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}

/// The JSON object of a file.
fn file(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin()),
        _ => fs::read_to_string(path),
    };
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a JSON object", path.display()))
}

/// Metadata of its JSON; an error names the field.
fn read(fields: Map<String, Value>) -> anyhow::Result<Metadata> {
    for (name, value) in &fields {
        serde_json::from_value::<Metadata>(json!({ name: value })).with_context(|| name.clone())?;
    }
    Ok(serde_json::from_value(Value::Object(fields))?)
}

/// Checks metadata by every rule, and the sector document that it may name.
async fn check(tools: &Tools, metadata: &Metadata) -> anyhow::Result<()> {
    metadata.validate(&supported_with_api(&tools.config))?;
    if let Some(code) = metadata.insurer.as_deref() {
        insurer_of(&tools.config, Some(code))?;
    }
    check_sector(&Egress::new(&tools.config.egress)?, metadata).await?;
    Ok(())
}

/// Registers a client and prints its secret, which cannot be shown again.
pub async fn create(tools: &Tools, args: CreateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let metadata = args.metadata()?;
    check(tools, &metadata).await?;
    let now = tools.clock.now();
    let mut tx = tools.db.begin().await?;
    let created = Client::create(&mut tx, &tools.master()?, &tools.entropy, now, args.id, metadata).await;
    let (client, secret) = match created {
        Err(error) if error.is_conflict() => anyhow::bail!("there is a client with this client_id already"),
        other => other?,
    };
    let event = Event::by(&Actor::command_line("cli"), "client.created")
        .with_client(Some(&client.id))
        .with_insurer(client.metadata.insurer.as_deref());
    audit::record(&mut tx, &tools.entropy, now, event).await?;
    tx.commit().await?;
    if args.json {
        let shown = json!({ "client_id": client.id, "client_secret": secret, "metadata": client.metadata });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    writeln!(out, "client_id      {}", client.id)?;
    match secret {
        Some(secret) => writeln!(out, "client_secret  {secret}\n\nThe secret is not shown again.")?,
        None => {
            writeln!(out, "\nThe client has no secret: it proves itself otherwise, or PKCE protects it.")?;
        }
    }
    writeln!(out, "issuer         {}", tools.config.server.issuer)?;
    Ok(())
}

/// Lists every client; secrets are not known, only how many there are.
async fn list(db: &Db, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let clients = Client::list(db).await?;
    if json {
        let shown: Vec<_> = clients
            .iter()
            .map(|client| {
                json!({
                    "client_id": client.id,
                    "metadata": client.metadata,
                    "secrets": client.secrets.len(),
                    "disabled": client.disabled_at.is_some(),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    for client in &clients {
        let state = if client.disabled_at.is_some() { "disabled" } else { "enabled" };
        let metadata = &client.metadata;
        writeln!(out, "{}  {}  {}", client.id, state, metadata.client_name)?;
        writeln!(out, "    auth   {}", metadata.token_endpoint_auth_method.as_str())?;
        writeln!(out, "    scope  {}", metadata.scope)?;
        for uri in &metadata.redirect_uris {
            writeln!(out, "    back   {uri}")?;
        }
    }
    if clients.is_empty() {
        writeln!(out, "no client is registered; see: kenpos-idp client create --help")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
