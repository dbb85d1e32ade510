//! The rules of the domain: who a person is, what may be typed, and what an account may do.
//!
//! Values such as [`LoginId`], [`KanaName`], [`BirthDate`] and [`EmailAddress`] can be built only by
//! parsing, forgive what people and spreadsheets do to them, and hide themselves from logs.

pub mod birth_date;
pub mod email_address;
pub mod kana;
pub mod login_id;
pub mod password_policy;
pub mod romaji;
pub mod roster;
pub mod roster_csv;
pub mod roster_row;
pub mod sample;

pub use birth_date::BirthDate;
pub use email_address::EmailAddress;
pub use kana::KanaName;
pub use login_id::LoginId;
