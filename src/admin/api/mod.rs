//! The operators' API at `/admin/api/v1`: what the console does, for programs. A file is a resource; the rules are
//! in [`crate::operators`], [`crate::members`] and [`crate::clients`], the same that console and command line
//! call; nothing here decides anything.
//!
//! Who asks is a client of this very provider with a token of the client credentials grant: its scopes
//! `admin:…` are the permissions of [`crate::operators::role`], one each, and its `insurer` is the one insurer that
//! it reaches.
//!
//! # To add a resource
//!
//! 1. Its paths in `src/routes.rs` (`api`), and a line in [`access`] for each path and method, with the permission
//!    that it asks for. [`guard`] refuses whatever is not in that table. A new permission is a line in
//!    [`crate::operators::role`], with its scope.
//! 2. A file here; [`operators`] has one of everything. A handler takes [`Caller`](guard::Caller) first, then
//!    [`Id`](read::Id) for the one name in its path, [`Query`](read::Query) and [`Body`](read::Body), whose
//!    types are strict (`deny_unknown_fields`); it answers `Result<_, Problem>`. Whatever it finds it holds against
//!    [`Caller::reach`](guard::Caller::reach) before it says or does anything about it: a thing of another insurer
//!    is not there (404). What a list lists is asked for with [`Caller::scope`](guard::Caller::scope).
//! 3. Personal data never stand in a URL: a search is a POST whose body has `limit` and `cursor` too ([`audit`]); a
//!    list is a GET with [`Paging`](paging::Paging). Both answer [`Page`](paging::Page) by
//!    [`Paging::of`](paging::Paging::of), which seals the cursors.
//! 4. An act is a POST whose body has a `reason` ([`Why`](read::Why) if nothing else), handed on with
//!    [`act`](read::act). [`idempotency`] looks after `Idempotency-Key` by itself, for every POST whose permission
//!    changes something. A change of what somebody may have read before is a PUT or PATCH with `If-Match`:
//!    [`unchanged`](version::unchanged) before it, [`tagged`](version::tagged) after it and on GET; the statement
//!    itself compares too, for those who come at the same moment.
//! 5. What goes wrong is a [`Problem`](problem::Problem): `not_found`, `field` (422, with a JSON pointer),
//!    `conflict` (409, with a stable code), `parameter` (400); a fault becomes 500 or 503 with `?`.
//! 6. Types with `ToSchema` and doc comments, names as nobody else has them; a `#[utoipa::path]` on each
//!    handler with summary, description, tag, `operation_id`, parameters, body and the answers of success; a
//!    `#[derive(OpenApi)]` `Doc` with the paths; its line in [`document`]. Security, the refusals and
//!    `Idempotency-Key` are added there, from the table.
//! 7. A story in `tests/it/story_api/`. The tests that every operation is routed, guarded and described, that each
//!    asks for its scope, and schemathesis, find the resource by themselves.

pub mod access;
pub mod audit;
pub mod audit_export;
pub mod bounces;
pub mod client_acts;
pub mod clients;
pub mod document;
pub mod documents;
pub mod guard;
pub mod idempotency;
pub mod insurers;
pub mod keys;
pub mod member_acts;
pub mod members;
pub mod numbers;
pub mod operators;
pub mod own;
pub mod paging;
pub mod problem;
pub mod queues;
pub mod read;
pub mod roster;
pub mod roster_acts;
pub mod roster_upload;
pub mod version;
pub mod webhooks;
