//! `client create` and `client list`.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Tools;
use crate::{
    audit::{self, Event},
    clients::{ApplicationType, AuthMethod, Client, Metadata, SubjectType},
    oidc::scope::Scope,
    storage::Db,
};

/// Options of `client create`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct CreateArgs {
    /// Name that members see.
    #[arg(long)]
    name: String,
    /// Name on English pages.
    #[arg(long)]
    name_en: Option<String>,
    /// `client_id`; random if absent.
    #[arg(long)]
    id: Option<String>,
    /// Where authorization responses may go; may be given several times.
    #[arg(long = "redirect-uri", required = true, value_name = "URI")]
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
    /// Scopes that it may ask for.
    #[arg(long, default_value = "openid profile email")]
    scope: String,
    /// How it proves itself at the token endpoint.
    #[arg(long, value_enum, default_value_t = Method::Basic)]
    auth: Method,
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
    id_token_alg: Option<String>,
    /// Runs a 健康保険事業, so that it may ask for `insured_number` (健康保険法 §194-2).
    #[arg(long)]
    health_insurance_business: bool,
    /// Lets a confidential client go without PKCE; only for old software.
    #[arg(long)]
    pkce_optional: bool,
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
    /// `none`: a public client
    None,
}

impl From<Method> for AuthMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Basic => Self::ClientSecretBasic,
            Method::Post => Self::ClientSecretPost,
            Method::None => Self::None,
        }
    }
}

impl CreateArgs {
    fn metadata(&self) -> Metadata {
        Metadata {
            client_name: self.name.clone(),
            client_name_en: self.name_en.clone(),
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            client_uri: self.client_uri.clone(),
            initiate_login_uri: self.initiate_login_uri.clone(),
            token_endpoint_auth_method: self.auth.into(),
            application_type: if self.native { ApplicationType::Native } else { ApplicationType::Web },
            scope: self.scope.clone(),
            subject_type: if self.public_subject { SubjectType::Public } else { SubjectType::Pairwise },
            sector: self.sector.clone(),
            id_token_signed_response_alg: self.id_token_alg.clone(),
            health_insurance_business: self.health_insurance_business,
            pkce_optional: self.pkce_optional,
        }
    }
}

/// Registers a client and prints its secret, which cannot be shown again.
pub async fn create(tools: &Tools, args: CreateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let metadata = args.metadata();
    let algorithms: Vec<_> = tools.config.keys.algorithms.iter().map(|alg| alg.name()).collect();
    metadata.validate(&Scope::NAMES, &algorithms)?;
    let now = tools.clock.now();
    let mut tx = tools.db.begin().await?;
    let created = Client::create(&mut tx, &tools.entropy, now, args.id, metadata).await;
    let (client, secret) = match created {
        Err(error) if error.is_conflict() => anyhow::bail!("there is a client with this client_id already"),
        other => other?,
    };
    let event = Event::operator("cli", "client.created").with_client(Some(&client.id));
    audit::record(&mut tx, &tools.entropy, now, event).await?;
    tx.commit().await?;
    if args.json {
        let shown = json!({ "client_id": client.id, "client_secret": secret, "metadata": client.metadata });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(());
    }
    writeln!(out, "client_id      {}", client.id)?;
    match secret {
        Some(secret) => writeln!(
            out,
            "client_secret  {secret}\n\nThe secret is not shown again; only its hash is stored."
        )?,
        None => writeln!(out, "\nA public client has no secret; PKCE protects it.")?,
    }
    writeln!(out, "issuer         {}", tools.config.server.issuer)?;
    Ok(())
}

/// Lists every client; secrets are not known, only how many there are.
pub async fn list(db: &Db, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
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
