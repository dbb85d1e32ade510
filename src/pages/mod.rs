//! What a member sees. A file is a page: what it shows, and how its form is handled.
//!
//! In the order of a first registration: [`login_id`] (or [`login_number`]) and [`password`], or else
//! [`registration_start`] and [`eligibility`]; then [`documents`], [`details`], [`confirm`], [`sent`],
//! [`link`], [`done`], and at last [`consent`]. [`recovery`] is for those who forgot something,
//! [`new_documents`] and [`new_login_id`] for those whose documents or login ID changed, [`bouncing_email`] for
//! those to whom mails do not arrive, [`not_mine`] for those
//! in whose name somebody else registers.

pub mod account;
pub mod bouncing_email;
pub mod cancel;
pub mod confirm;
pub mod consent;
pub mod details;
pub mod device;
pub mod documents;
pub mod done;
pub mod eligibility;
pub mod flow;
pub mod form_post;
pub mod insurer;
pub mod link;
pub mod link_void;
pub mod logged_out;
pub mod login_id;
pub mod login_number;
pub mod logo;
pub mod logout;
pub mod new_documents;
pub mod new_login_id;
pub mod not_mine;
pub mod other_members;
pub mod parts;
pub mod password;
pub mod recovery;
pub mod registration_start;
pub(crate) mod sample;
pub mod select_account;
pub mod sent;

#[cfg(test)]
mod gallery;
