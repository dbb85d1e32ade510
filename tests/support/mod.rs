//! What the stories of `tests/it` share.
