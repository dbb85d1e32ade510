//! `/admin/api/v1/clients`: relying parties, by the rules of [`crate::clients::manage`]. What is done to one is in
//! [`client_acts`](super::client_acts).

use axum::{Json, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::{Page, Paging},
    problem::{FieldError, Kind, Problem},
    read::{Body, Id, Query, act, reason},
    version::{created, tagged, unchanged},
};
use crate::{
    clients::{
        self, Clients, Metadata,
        manage::{Done, Outcome, Refused, Search, position},
    },
    clock::Timestamp,
    fault::Fault,
    oidc::{registration, resource::API},
    operators::log::utc,
};

#[derive(OpenApi)]
#[openapi(paths(list, register, get, change))]
pub(super) struct Doc;

/// A relying party.
#[derive(Debug, Serialize, ToSchema)]
pub struct Client {
    /// `client_id`.
    #[schema(example = "OEc3jgATy7CpLdsubUR8gw")]
    pub client_id: String,
    /// Whether members can sign in to it.
    pub state: ClientState,
    /// What it registered, in the names of OpenID Connect Registration and of the documentation for app developers.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// The secrets that work, the newest first; never the secrets themselves.
    pub secrets: Vec<ClientSecret>,
    /// When it was registered.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// One more with each change.
    pub version: i64,
}

/// Whether members can sign in to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    /// Yes.
    Enabled,
    /// No, and its tokens are worth nothing.
    Disabled,
}

/// A secret of a client, as far as it is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientSecret {
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ends; absent: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// A client with a secret that is told only now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientWithSecret {
    /// The client.
    #[serde(flatten)]
    pub client: Client,
    /// Its new secret, if it got one. It is not told again, except to a repetition with the same Idempotency-Key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

impl Client {
    pub(super) fn of(client: &clients::Client, now: Timestamp) -> Self {
        let secrets = client.valid_secrets(now).into_iter().map(|secret| ClientSecret {
            created_at: utc(secret.created_at.millis()),
            expires_at: secret.expires_at.map(|at| utc(at.millis())),
        });
        Self {
            client_id: client.id.clone(),
            state: if client.disabled_at.is_some() { ClientState::Disabled } else { ClientState::Enabled },
            metadata: client.metadata.fields(),
            secrets: secrets.collect(),
            created_at: utc(client.created_at.millis()),
            version: client.version,
        }
    }
}

/// The client, if it is within reach.
pub(super) async fn find(caller: &Caller, id: &str) -> Result<clients::Client, Problem> {
    let db = &caller.app().members.db;
    let found = clients::Client::find_any(db, id).await.map_err(Fault::from)?;
    let found = found.ok_or_else(Problem::not_found)?;
    caller.reach(found.metadata.insurer.as_deref())?;
    Ok(found)
}

pub(super) fn rules(caller: &Caller) -> Clients<'_> {
    registration::clients(caller.app())
}

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::Metadata(error) if error.field == "metadata" => {
            Problem::field("/metadata", "invalid", detail)
        }
        Refused::Metadata(error) => {
            Problem::field(&format!("/metadata/{}", error.field), "invalid", error.reason)
        }
        Refused::Id => Problem::field("/client_id", "malformed", detail),
        Refused::IdTaken => {
            Problem::new(Kind::Conflict).and(FieldError::at("/client_id", "client_id_taken", detail))
        }
        Refused::Overlap => Problem::field("/overlap_hours", "too_long", detail),
        Refused::Changed => Problem::new(Kind::PreconditionFailed).saying(detail),
        Refused::NoSecret => Problem::conflict("no_secret", detail),
        Refused::NoOldSecret => Problem::conflict("no_old_secret", detail),
        Refused::Already => Problem::conflict("already", detail),
        Refused::Api => Problem::conflict("api_program", detail),
        Refused::Enabled => Problem::conflict("enabled", detail),
    }
}

pub(super) fn outcome<T>(outcome: Outcome<T>) -> Result<T, Problem> {
    outcome.map_err(Fault::from)?.map_err(refusal)
}

/// Nobody gives more than they have: a client of one insurer neither registers for others, nor introspects what
/// is for all.
fn within(caller: &Caller, before: &Metadata, after: &Metadata) -> Result<(), Problem> {
    if caller.reach(after.insurer.as_deref()).is_err() {
        let detail = "must be the insurer of the calling client";
        return Err(Problem::field("/metadata/insurer", "unknown", detail));
    }
    if caller.scope().is_some() && before.introspects != after.introspects {
        let detail = "is for clients of all insurers to give";
        return Err(Problem::field("/metadata/introspects", "not_allowed", detail));
    }
    Ok(())
}

/// Characters of what is searched for, at most.
const LONGEST: usize = 100;

/// Which relying parties.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsAsked {
    /// Only those with this in a name, or at the beginning of the `client_id`; upper and lower case alike.
    #[param(max_length = 100, example = "からだ")]
    pub search: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// Lists the relying parties
///
/// The newest first, all or those that are searched for. A client of one insurer sees those that are for its members alone.
#[utoipa::path(
    get, path = "/admin/api/v1/clients", tag = "Clients", operation_id = "listClients",
    params(ClientsAsked),
    responses((status = 200, description = "A page of relying parties", body = Page<Client>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn list(caller: Caller, Query(asked): Query<ClientsAsked>) -> Result<Response, Problem> {
    let text = asked.search.unwrap_or_default();
    if text.chars().count() > LONGEST {
        return Err(Problem::parameter("search", format!("must be {LONGEST} characters at most")));
    }
    let part = Paging { limit: asked.limit, cursor: asked.cursor }.of(&caller, "clients", &text)?;
    let after = part.after.as_deref().and_then(position);
    let limit = usize::try_from(part.to_read()).unwrap_or_default();
    let search = Search { text: &text, insurer: caller.scope() };
    let read = rules(&caller).search(search, after.as_ref(), limit).await.map_err(Fault::from)?;
    let now = caller.app().now();
    let page = part.page(&caller, read, |one| one.position().to_string(), |one| Client::of(&one, now));
    let search = match text.as_str() {
        "" => String::new(),
        text => {
            format!("search={}&", url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>())
        }
    };
    Ok(part.linked_with(&caller, &format!("{API}/clients"), &search, page))
}

/// A relying party to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `client_id` of your choice; absent: a random one.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9._~-]+$", example = "karada-techo")]
    pub client_id: Option<String>,
    /// What it registers.
    #[schema(value_type = Object, example = json!({
        "client_name": "からだ手帳", "redirect_uris": ["https://app.example.jp/callback"],
        "scope": "openid profile email",
    }))]
    pub metadata: Map<String, Value>,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "contract 12")]
    pub reason: String,
}

/// Registers a relying party
///
/// The answer has its secret, if its method takes one, and is the only one that ever has.
#[utoipa::path(
    post, path = "/admin/api/v1/clients", tag = "Clients", operation_id = "registerClient",
    request_body = Registration,
    responses((status = 201, description = "The relying party, with its secret", body = ClientWithSecret,
        headers(
            ("Location" = String, description = "URL of the relying party"),
            ("ETag" = String, description = "Version of the answer; read the relying party for one to change it with"),
        ))),
)]
pub async fn register(caller: Caller, Body(asked): Body<Registration>) -> Result<Response, Problem> {
    let why = reason(&asked.reason)?;
    let metadata = Metadata::default().with_fields(asked.metadata);
    let metadata = metadata.map_err(|error| refusal(error.into()))?;
    within(&caller, &Metadata::default(), &metadata)?;
    let by = act(&caller.actor, &why);
    let done = outcome(rules(&caller).create(asked.client_id, metadata, by).await)?;
    let path = format!("{API}/clients/{}", done.client.id);
    let made = told(&caller, done);
    Ok(created(&caller, &path, &made, &made))
}

pub(super) fn told(caller: &Caller, done: Done) -> ClientWithSecret {
    ClientWithSecret { client: Client::of(&done.client, caller.app().now()), client_secret: done.secret }
}

/// Shows a relying party
///
/// With the `ETag` that a change asks for.
#[utoipa::path(
    get, path = "/admin/api/v1/clients/{client}", tag = "Clients", operation_id = "getClient",
    params(("client" = String, Path, description = "`client_id`")),
    responses((status = 200, description = "The relying party", body = Client,
        headers(("ETag" = String, description = "Version of the relying party")))),
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    Ok(tagged(&Client::of(&find(&caller, &id).await?, caller.app().now())))
}

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientChange {
    /// The fields that change (RFC 7396): `null` removes one, what is not named stays.
    #[schema(value_type = Object, example = json!({ "scope": "openid email", "logo_uri": null }))]
    pub metadata: Map<String, Value>,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "new logo")]
    pub reason: String,
}

/// Changes a relying party
///
/// One whose method came to need a secret gets one, which is told now and never again.
#[utoipa::path(
    patch, path = "/admin/api/v1/clients/{client}", tag = "Clients", operation_id = "changeClient",
    params(
        ("client" = String, Path, description = "`client_id`"),
        ("If-Match" = String, Header, description = "`ETag` of the relying party as it was read"),
    ),
    request_body = ClientChange,
    responses((status = 200, description = "The relying party as it is now", body = ClientWithSecret)),
)]
pub async fn change(
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    Body(asked): Body<ClientChange>,
) -> Result<Json<ClientWithSecret>, Problem> {
    let client = find(&caller, &id).await?;
    unchanged(&headers, &Client::of(&client, caller.app().now()))?;
    let why = reason(&asked.reason)?;
    let metadata = client.metadata.with_fields(asked.metadata);
    let metadata = metadata.map_err(|error| refusal(error.into()))?;
    within(&caller, &client.metadata, &metadata)?;
    let done = outcome(rules(&caller).update(&client, metadata, act(&caller.actor, &why)).await)?;
    Ok(Json(told(&caller, done)))
}
