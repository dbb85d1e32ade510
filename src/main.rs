//! The kenpos-idp command.

fn main() {}
