//! Steps that are skipped, empty, taken twice or taken without cookies.
