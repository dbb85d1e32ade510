//! Where a page of a list ends: at the thing that it ended with (keyset paging).

/// The place of a thing in a list that is ordered by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// Identifier of the thing.
    pub id: String,
}

impl Position {
    /// `MILLIS.ID`, as it stands in a URL, of a thing with one of our own identifiers.
    pub fn parse(text: &str) -> Option<Self> {
        // Identifiers are base64url, those of persons have a dot.
        Self::parse_if(text, |id| {
            id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
    }

    /// The same of a list whose identifiers are otherwise. What `fits` must have no NUL, which PostgreSQL would
    /// answer with an error.
    pub fn parse_if(text: &str, fits: impl FnOnce(&str) -> bool) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        let at = at.parse().ok()?;
        fits(id).then(|| Self { at, id: id.to_owned() })
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}
