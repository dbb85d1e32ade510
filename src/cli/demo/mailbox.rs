//! The page that shows what was mailed.
