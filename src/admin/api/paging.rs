//! Lists in pages (keyset paging). A cursor is sealed with the master key: it says nothing to whoever sees the
//! URL, cannot be made up, and belongs to one list and one client.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{guard::Caller, problem::Problem};

/// Purpose of the key that seals cursors.
const SEALED: &str = "api-cursor";
/// Entries of a page, unless the request says otherwise.
const USUAL: u16 = 50;
/// Entries of a page at most.
const MOST: u16 = 200;

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct Paging {
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// A page of a list, and where the next one begins.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A part of a list, asked for by `caller`.
pub struct Part {
    list: String,
    limit: u16,
    /// Where the page begins: the position that was given to [`Part::page`].
    pub after: Option<String>,
}

impl Paging {
    /// The part of the list `name` that is asked for. `of` is what else makes the list another, such as a search.
    pub fn of(&self, caller: &Caller, name: &str, of: &str) -> Result<Part, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::parameter("limit", format!("must be 1 to {MOST}")));
        }
        let list = format!("{name} {} {of}", caller.client.id);
        let after = match &self.cursor {
            None => None,
            Some(cursor) => {
                let opened = caller.app().members.master.open(SEALED, &list, cursor).ok();
                let position = opened.and_then(|bytes| String::from_utf8(bytes).ok());
                Some(position.ok_or_else(|| {
                    Problem::parameter("cursor", "is not one of this list, this client and this search")
                })?)
            }
        };
        Ok(Part { list, limit, after })
    }
}

impl Part {
    /// How many entries to read: one more than fit, to see whether there are more.
    pub fn to_read(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page of what was read. `position` says where the page after an entry begins.
    pub fn page<T, V>(
        &self,
        caller: &Caller,
        mut read: Vec<T>,
        position: impl Fn(&T) -> String,
        view: impl Fn(T) -> V,
    ) -> Page<V> {
        let more = read.len() > usize::from(self.limit);
        read.truncate(usize::from(self.limit));
        let members = &caller.app().members;
        let next = read
            .last()
            .filter(|_| more)
            .map(|last| members.master.seal(SEALED, &self.list, position(last).as_bytes(), &members.entropy));
        Page { items: read.into_iter().map(view).collect(), next }
    }

    /// The answer to a GET: the page, and the way to the next one as a link too (RFC 8288).
    pub fn linked<V: Serialize>(&self, caller: &Caller, path: &str, page: Page<V>) -> Response {
        self.linked_with(caller, path, "", page)
    }

    /// The same for a list that has other parameters, each followed by `&`.
    pub fn linked_with<V: Serialize>(
        &self,
        caller: &Caller,
        path: &str,
        others: &str,
        page: Page<V>,
    ) -> Response {
        let link = page.next.as_ref().map(|next| {
            // Cursors are base64url.
            let url = caller.app().config().server.url(path);
            format!("<{url}?{others}limit={}&cursor={next}>; rel=\"next\"", self.limit)
        });
        let mut response = Json(page).into_response();
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
