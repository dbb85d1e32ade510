//! `/device/{id}`: may this device see that?

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use crate::{
    oidc::{
        device::{self, FoundDevice},
        interaction,
        permission::Permission,
    },
    pages::{
        account::{Account, entered},
        consent::{self, Scope},
        sample,
    },
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// What a device asks for. Posts `decision`, `allow` or `deny`, to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmDevice {
    /// For whom the form is.
    pub who: String,
    /// The authorization.
    pub id: String,
    /// Name of the app on the device.
    pub client: String,
    /// The code, to be compared with the display of the device (RFC 8628 §5.4).
    pub user_code: String,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Who is signed in: name or login ID, masked.
    pub account: String,
}

impl Page for ConfirmDevice {
    const TEMPLATE: &'static str = "pages/device/confirm.html";

    fn samples() -> Vec<Self> {
        let usual = Self {
            who: sample::INTERACTION.to_owned(),
            id: sample::INTERACTION.to_owned(),
            client: sample::CLIENT.to_owned(),
            user_code: "123-456-789".to_owned(),
            scopes: ["openid", "profile", "offline_access"].map(Scope::new).to_vec(),
            account: "タケダ ハナコ".to_owned(),
        };
        let hostile = Self {
            client: sample::HOSTILE.to_owned(),
            scopes: [sample::HOSTILE, sample::LONG].map(Scope::new).to_vec(),
            account: sample::HOSTILE.to_owned(),
            ..usual.clone()
        };
        vec![usual, hostile]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct DecisionForm {
    #[serde(default)]
    who: String,
    #[serde(default)]
    decision: String,
}

/// GET `/device/{id}`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/device"));
    let device = find(&account, &id).await?;
    if let Some(elsewhere) = documents_first(&account, &id).await? {
        return Ok(elsewhere);
    }
    let asked = &device.found.value;
    let page = ConfirmDevice {
        who: account.who(),
        id: device.id.clone(),
        client: device.client.name_in(account.visit.locale).to_owned(),
        user_code: asked.user_code.clone(),
        scopes: asked.scope.iter().map(|scope| Scope::new(scope.as_str())).collect(),
        account: consent::account_name(&account.signed_in),
    };
    Ok(account.show(&page).render()?)
}

/// POST `/device/{id}`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<DecisionForm>,
) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/device", &form.who));
    let device = find(&account, &id).await?;
    if let Some(elsewhere) = documents_first(&account, &id).await? {
        return Ok(elsewhere);
    }
    let app = account.visit.app().clone();
    let decided = match form.decision.as_str() {
        "allow" => {
            let asked = &device.found.value;
            let allowed = Permission { scopes: asked.scope.clone(), ..Permission::default() };
            consent::remember(&app, &account.signed_in, &asked.client_id, &allowed).await?;
            device::allow(&app, &device, &account.signed_in).await?
        }
        "deny" => device::deny(&app, &device).await?,
        // An empty POST decides nothing.
        _ => return Ok(account.visit.redirect(&format!("/device/{id}"))?),
    };
    if !decided {
        return Err(ended());
    }
    let outcome = if form.decision == "allow" { "allowed" } else { "denied" };
    Ok(account.visit.redirect(&format!("/device/{outcome}"))?)
}

/// The authorization of the path, if its code was entered in this very session and nobody decided yet.
async fn find(account: &Account, id: &str) -> Result<FoundDevice, PageError> {
    let sid = &account.signed_in.session.sid;
    let device = device::entered(account.visit.app(), id, sid).await?.ok_or_else(ended)?;
    if !device.client.admits(&account.signed_in.member.insurer) {
        let text = Message::new("error-device-insurer");
        return Err(PageError::explained(StatusCode::FORBIDDEN, text).restarting_at("/device"));
    }
    Ok(device)
}

/// As at a sign-in to an app, documents that wait to be accepted come before what the device may do.
async fn documents_first(account: &Account, id: &str) -> Result<Option<Response>, PageError> {
    let visit = &account.visit;
    let due = visit.signed_in_towards(None).await?.is_some_and(|(_, beside)| beside.documents_due);
    if !due {
        return Ok(None);
    }
    let parked = interaction::park_for(visit, format!("/device/{id}")).await?;
    Ok(Some(visit.redirect(&format!("/documents/{}", parked.id))?))
}

fn ended() -> PageError {
    PageError::explained(StatusCode::GONE, Message::new("error-device-ended")).restarting_at("/device")
}
