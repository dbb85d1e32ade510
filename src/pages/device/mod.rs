//! `/device` and below (RFC 8628 §3.3): a member enters the code that a device shows, and allows the device
//! or not. The pages are for members who are signed in, so that nobody else can try codes.

pub mod code;
pub mod confirm;
pub mod outcome;

pub use code::EnterCode;
pub use confirm::ConfirmDevice;
pub use outcome::DeviceOutcome;
