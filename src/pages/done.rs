//! 登録完了: `/registration/{interaction}/done`, or in another browser the answer to the mailed link.

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
        /// Name of the relying party that is waiting.
        client: Option<String>,
    },
    /// In another browser, where there is nothing to go on with.
    Elsewhere {
        /// Where the member may go back to.
        service: Option<Service>,
    },
}

impl Page for Done {
    const TEMPLATE: &'static str = "pages/done.html";

    fn samples() -> Vec<Self> {
        let here = |client: Option<&str>| Self::Here {
            interaction: sample::INTERACTION.to_owned(),
            client: client.map(str::to_owned),
        };
        vec![
            here(Some(sample::CLIENT)),
            here(None),
            here(Some(sample::HOSTILE)),
            Self::Elsewhere { service: sample::service(sample::CLIENT) },
            Self::Elsewhere { service: None },
        ]
    }
}
