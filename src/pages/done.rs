//! 登録完了: `/registration/{interaction}/done`, or in another browser the answer to the mailed link.

use super::{
    flow::{Flow, brand, registration_over},
    password::sign_in,
    sent::too_early,
};
use crate::{
    fault::Fault,
    members::registration::Progress,
    oidc::interaction,
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::Service, sample};
use crate::web::templates::Page;

/// The registration is complete.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "variant", rename_all = "snake_case")]
pub enum Done {
    /// In the browser that started: goes on by posting to `/registration/{interaction}/done`, which the script
    /// does by itself after a moment.
    Here {
        /// The interaction.
        interaction: String,
        /// Whether it began with 資格照会.
        self_registration: bool,
        /// Name of the relying party that is waiting.
        client: Option<String>,
    },
    /// In another browser, where there is nothing to go on with.
    Elsewhere {
        /// Where the member may go back to.
        service: Option<Service>,
        /// Whether to lead to the login page, because there is no other way on at present.
        sign_in: bool,
    },
}

impl Page for Done {
    const TEMPLATE: &'static str = "pages/done.html";

    fn samples() -> Vec<Self> {
        let here = |client: Option<&str>| Self::Here {
            interaction: sample::INTERACTION.to_owned(),
            self_registration: client.is_none(),
            client: client.map(str::to_owned),
        };
        vec![
            here(Some(sample::CLIENT)),
            here(None),
            here(Some(sample::HOSTILE)),
            Self::Elsewhere { service: sample::service(sample::CLIENT), sign_in: false },
            Self::Elsewhere { service: None, sign_in: false },
            Self::Elsewhere { service: None, sign_in: true },
        ]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct DoneForm {}

/// GET `/registration/{interaction}/done`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    if gone_on(&visit, &id).await? {
        return elsewhere(&visit);
    }
    let flow = Flow::load(visit, &id).await?;
    let Some(draft) = &flow.found.value.registration else { return flow.proceed().await };
    match flow.visit.app().members.registration_progress(draft).await? {
        Progress::Completed(_) => {
            let self_registration = draft.inquiry().is_some();
            let page = Done::Here { interaction: id, self_registration, client: flow.client_name() };
            Ok(flow.show(&page).render()?)
        }
        Progress::Waiting => flow.go(&too_early(&id)),
        Progress::Ended => Err(registration_over(&flow)),
    }
}

/// POST `/registration/{interaction}/done`: signs in the browser that started. Whoever completed the
/// registration knew the password that was chosen here, and the interaction is bound to this browser.
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, _): PageForm<DoneForm>,
) -> Result<Response, PageError> {
    if gone_on(&visit, &id).await? {
        return elsewhere(&visit);
    }
    let flow = Flow::load(visit, &id).await?;
    let Some(draft) = flow.found.value.registration.clone() else { return flow.proceed().await };
    let member = match flow.visit.app().members.registration_progress(&draft).await? {
        Progress::Completed(member) => member,
        Progress::Waiting => return flow.go(&too_early(&id)),
        Progress::Ended => return Err(registration_over(&flow)),
    };
    // The draft goes when the session has come: a second click at once is signed in like the first, and
    // a later one finds nothing to sign in with.
    let mut flow = flow;
    let client = flow.found.value.client_id().map(str::to_owned);
    sign_in(&mut flow.visit, &member, client.as_deref()).await?;
    Box::pin(finish(flow)).await
}

/// Whether another tab of this browser has gone on already and ended the interaction.
async fn gone_on(visit: &Visit, id: &str) -> Result<bool, Fault> {
    Ok(visit.signed_in().await?.is_some() && interaction::find(visit, id).await?.is_none())
}

fn elsewhere(visit: &Visit) -> Result<Response, PageError> {
    Ok(visit.show(&Done::Elsewhere { service: None, sign_in: false }).brand(brand(visit)).render()?)
}

/// Notes the sign-in in the interaction and goes on with the parked request.
async fn finish(flow: Flow) -> Result<Response, PageError> {
    let sid = flow.visit.signed_in().await?.map(|signed_in| signed_in.session.sid);
    let flow = flow
        .update(|interaction| {
            interaction.signed_in.clone_from(&sid);
            interaction.registration = None;
        })
        .await?;
    flow.proceed().await
}
