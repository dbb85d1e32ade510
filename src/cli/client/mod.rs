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

use self::change::Only;
use super::Tools;
use crate::{
    audit::{Act, Actor, Reason},
    clients::{
        ApplicationType, AuthMethod, Client, Clients, GrantType, Metadata, SubjectType,
        manage::{Done, Search},
        registration::Registrar,
    },
    crypto::{Algorithm, MasterKey},
    egress::Egress,
    oidc::registration::supported_with_api,
};

/// What to do with relying parties.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, for the life of the process")]
pub enum ClientCommand {
    /// Registers a relying party and shows its secret, once.
    Create(CreateArgs),
    /// Lists the relying parties, the oldest first; those that are searched for, the newest first.
    List(ListArgs),
    /// Shows a relying party with all that it registered, as JSON.
    Show {
        /// `client_id`
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Print JSON, as it does anyway.
        #[arg(long)]
        json: bool,
    },
    /// Changes what a relying party registered; shows its new secret if its method came to need one.
    Update(change::UpdateArgs),
    /// Gives a relying party a new secret, and lets the old one work a while longer.
    RotateSecret(change::RotateArgs),
    /// Ends the old secret of a rotation before its time.
    EndOldSecrets(change::OnlyArgs),
    /// Disables a relying party: nobody signs in to it, and its tokens are worth nothing.
    Disable(change::OnlyArgs),
    /// Enables a relying party again.
    Enable(change::OnlyArgs),
    /// Deletes a disabled relying party for ever, with what members allowed it.
    Delete(change::OnlyArgs),
    /// Who may register relying parties without an operator.
    #[command(subcommand)]
    InitialAccessToken(initial_access_token::TokenCommand),
}

/// Runs a command.
pub async fn run(tools: &Tools, command: ClientCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        ClientCommand::Create(args) => create(tools, args, out).await,
        ClientCommand::List(args) => list(tools, &args, out).await,
        ClientCommand::Show { id, .. } => change::show(tools, &id, out).await,
        ClientCommand::Update(args) => change::update(tools, args, out).await,
        ClientCommand::RotateSecret(args) => change::rotate_secret(tools, &args, out).await,
        ClientCommand::EndOldSecrets(args) => change::only(tools, Only::EndOldSecrets, &args, out).await,
        ClientCommand::Disable(args) => change::only(tools, Only::Disable, &args, out).await,
        ClientCommand::Enable(args) => change::only(tools, Only::Enable, &args, out).await,
        ClientCommand::Delete(args) => change::only(tools, Only::Delete, &args, out).await,
        ClientCommand::InitialAccessToken(command) => initial_access_token::run(tools, command, out).await,
    }
}

/// Options of `client list`.
#[derive(Debug, Default, Args)]
pub struct ListArgs {
    /// Only those with this in a name, or at the beginning of the `client_id`.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only those for the members of the insurer with this portal code.
    #[arg(long)]
    pub insurer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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
    #[command(flatten)]
    why: Why,
}

/// Why something is done, and how what was done is said.
#[derive(Debug, Args)]
pub struct Why {
    /// Why, for the audit.
    #[arg(long, default_value = "command line")]
    reason: String,
    /// Who does it, for the audit.
    #[arg(long, env = "USER", default_value = "cli")]
    operator: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Why {
    fn read(&self) -> anyhow::Result<(Actor, Reason)> {
        Ok((Actor::command_line(&self.operator), Reason::parse(&self.reason)?))
    }
}

/// What was done, in words and by the name that scripts go by.
struct Said {
    text: String,
    done: &'static str,
}

impl Tools {
    /// The master key, and the way out to the servers of relying parties.
    async fn ways(&self) -> anyhow::Result<(MasterKey, Egress)> {
        Ok((self.master().await?, Egress::new(&self.config.egress)?))
    }

    /// The rules of relying parties.
    fn clients<'a>(&'a self, master: &'a MasterKey, egress: &'a Egress) -> Clients<'a> {
        let now = self.clock.now();
        Clients {
            registrar: Registrar { db: &self.db, master, entropy: &self.entropy, now },
            supported: supported_with_api(&self.config),
            insurers: &self.config.insurers,
            egress,
        }
    }
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
        Ok(Metadata::from_fields(fields)?)
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

/// Registers a client and prints its secret, which cannot be shown again.
pub async fn create(tools: &Tools, args: CreateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let metadata = args.metadata()?;
    let (master, egress) = tools.ways().await?;
    let (actor, reason) = args.why.read()?;
    let act = Act { actor: &actor, reason: &reason };
    let done = tools.clients(&master, &egress).create(args.id, metadata, act).await??;
    let Done { client, secret } = done;
    if args.why.json {
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
async fn list(tools: &Tools, args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let search = args.search.is_some() || args.insurer.is_some();
    let clients = if search { searched(tools, args).await? } else { Client::list(&tools.db).await? };
    if args.json {
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
    if clients.is_empty() && search {
        writeln!(out, "no client fits")?;
    } else if clients.is_empty() {
        writeln!(out, "no client is registered; see: kenpos-idp client create --help")?;
    }
    Ok(())
}

async fn searched(tools: &Tools, args: &ListArgs) -> anyhow::Result<Vec<Client>> {
    let (master, egress) = tools.ways().await?;
    let search =
        Search { text: args.search.as_deref().unwrap_or_default(), insurer: args.insurer.as_deref() };
    Ok(tools.clients(&master, &egress).search(search, None, usize::MAX).await?)
}

#[cfg(test)]
mod tests;
