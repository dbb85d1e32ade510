//! Every integration test, in one binary: a file a story.

#![allow(
    clippy::large_futures,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::unchecked_time_subtraction,
    reason = "a story is read from top to bottom: tables of cases, before and after, an hour less a minute"
)]

#[path = "../support/mod.rs"]
mod support;

mod attacks_accounts;
mod attacks_browser;
mod attacks_clients;
mod attacks_enumeration;
mod attacks_fields;
mod attacks_input;
mod attacks_redirects;
mod attacks_tokens;
mod audit_feed;
mod budgets;
mod command_line;
mod conformance;
mod corners;
mod counts;
mod deadlocks;
mod docs;
mod doctor;
mod fuzz;
mod house;
mod limits;
mod mail;
mod operations;
mod relying_parties;
mod services_down;
mod sizing;
mod story_account;
mod story_activation;
mod story_api;
mod story_authorize;
mod story_backup;
mod story_browser;
mod story_clients;
mod story_clients_console;
mod story_desk;
mod story_device;
mod story_documents;
mod story_eligibility;
mod story_insurers;
mod story_keyboard;
mod story_logout;
mod story_members_console;
mod story_no_script;
mod story_notices;
mod story_operators;
mod story_recovery;
mod story_reset;
mod story_roster_console;
mod story_self_registration;
mod story_tokens;
mod support_smoke;
mod tls;
mod traces;
