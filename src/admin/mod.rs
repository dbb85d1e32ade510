//! The operators' console at `/admin`. A file is a page: what it shows, and how its form is handled. The rules
//! are in [`crate::operators`], [`crate::members`] and [`crate::clients`]; nothing here decides anything. [`api`] is
//! the same for programs.
//!
//! # To add a page
//!
//! 1. Its URL in `src/routes.rs` (`console`) and in [`access`], with the permission that looking and doing ask
//!    for. [`guard`] refuses whatever is not in that table, so a handler is only ever called for an operator
//!    whose role may. A new permission is a line in [`crate::operators::role`].
//! 2. A file here. A GET handler takes [`Operator`](guard::Operator), a POST handler
//!    [`OperatorForm<T>`](guard::OperatorForm), which has checked token, origin and for whom the form was made.
//!    Both call [`Operator::reach`](guard::Operator::reach) with the insurer of the thing at hand before they
//!    say or do anything about it: a thing of another insurer is not there (404). What a page lists is asked
//!    for with [`Operator::scope`](guard::Operator::scope).
//! 3. A view model with `impl Page` and samples, answered with [`Operator::show`](guard::Operator::show); a
//!    template in `templates/admin/` that extends `admin/console.html` (tables, facts, pager and forms are in
//!    `admin/parts.html` and `form.html`), its line in `web/templates.rs`, its texts in
//!    `templates/texts/admin.*.ftl`, its line in `pages/gallery.rs`.
//! 4. For a part of its own, a line in [`frame`]: whoever may see it finds it in the navigation.
//! 5. Its line in the matrix of `tests/it/story_operators/matrix.rs` and, for a form, its forgery in
//!    `tests/it/attacks_browser/console.rs`. Both tests fail until it is there.
//!
//! # To add an act
//!
//! A method of the rules that takes an [`Act`](crate::audit::Act) and writes `act.event("thing.done", …)` in its
//! own transaction, so that console, API and command line share it. In the console an act is a page of
//! [`confirm`]: what will happen, a field for the reason, one button; `operator_act` is the shortest example.
//! Afterwards the browser is sent on with `?done=NAME`, and the next page says the text `console-notice-NAME`.

pub mod access;
pub mod account;
pub mod api;
pub mod audit;
pub mod audit_export;
pub mod audit_verified;
pub mod bounces;
pub mod clients;
pub mod confirm;
pub mod dashboard;
pub mod deletion_requests;
pub mod documents;
pub mod frame;
pub mod guard;
pub mod keys;
pub mod letter;
pub mod member;
pub mod member_act;
pub mod member_app;
pub mod member_email;
pub mod member_issue;
pub mod members;
pub mod operator;
pub mod operator_act;
pub mod operator_new;
pub mod operator_role;
pub mod operators;
pub mod own_codes;
pub mod own_factor;
pub mod own_password;
pub mod paging;
pub mod plot;
pub mod qr;
pub mod queue;
pub mod queue_act;
pub mod recovery_codes;
pub mod roster;
pub mod roster_act;
pub mod roster_import;
pub mod roster_new;
pub mod roster_refused;
pub mod setup;
pub mod sign_in;
pub mod webhook_act;
pub mod webhook_form;
pub mod webhooks;

use axum::http::StatusCode;

use crate::{
    members::account::Credential, operators::sign_in::lockout, pages::parts::FormErrors,
    web::templates::Message,
};

/// What is wrong with a form, and the status that says so.
pub type Refusal = (StatusCode, FormErrors);

/// One field is wrong.
pub fn wrong(field: &'static str, message: Message) -> Refusal {
    (StatusCode::UNPROCESSABLE_ENTITY, FormErrors::field(field, message))
}

/// What to say about own credentials that were not proved.
pub fn refusal(credential: Credential) -> Refusal {
    match credential {
        Credential::Right | Credential::Wrong => {
            (StatusCode::UNPROCESSABLE_ENTITY, FormErrors::form(Message::new("console-own-error-credential")))
        }
        Credential::Paused => paused(),
        Credential::Limited => limited(),
    }
}

/// Too many were wrong for this operator.
pub fn paused() -> Refusal {
    let minutes = lockout().login_pause_minutes;
    let message = Message::new("password-error-paused").with("minutes", minutes);
    (StatusCode::TOO_MANY_REQUESTS, FormErrors::form(message))
}

/// Too many guesses altogether.
pub fn limited() -> Refusal {
    (StatusCode::TOO_MANY_REQUESTS, FormErrors::form(Message::new("password-error-limited")))
}
