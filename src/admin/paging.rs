//! Lists in pages: where the next one begins is in its URL, as the last thing of this one (keyset paging).

use serde::Serialize;

/// The ways from a page of a list to its other pages.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pager {
    /// To the first page, from a later one.
    pub first: Option<String>,
    /// To the next page, if there is one.
    pub next: Option<String>,
}

impl Pager {
    /// The ways between pages of the list at `path`, whose other parameters are `kept`. `cursor` is where the
    /// next page begins, `paged` says whether this is a later one.
    pub fn new(path: &str, kept: &[(&str, &str)], cursor: Option<&str>, paged: bool) -> Self {
        let link = |cursor: Option<&str>| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in kept.iter().filter(|(_, value)| !value.is_empty()) {
                query.append_pair(name, value);
            }
            if let Some(cursor) = cursor {
                query.append_pair("after", cursor);
            }
            match query.finish() {
                query if query.is_empty() => path.to_owned(),
                query => format!("{path}?{query}"),
            }
        };
        Self { first: paged.then(|| link(None)), next: cursor.map(|cursor| link(Some(cursor))) }
    }
}

/// Cuts a list that was read one longer than a page is; whether there is more.
pub fn cut<T>(list: &mut Vec<T>, page: usize) -> bool {
    let more = list.len() > page;
    list.truncate(page);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_what_was_asked_for() {
        let pager = Pager::new("/admin/x", &[("q", "a&b"), ("r", "")], Some("5.x"), true);
        assert_eq!(pager.first.as_deref(), Some("/admin/x?q=a%26b"));
        assert_eq!(pager.next.as_deref(), Some("/admin/x?q=a%26b&after=5.x"));
        assert_eq!(Pager::new("/admin/x", &[], None, true).first.as_deref(), Some("/admin/x"));
        let mut list = vec![1, 2, 3];
        assert!(cut(&mut list, 2) && !cut(&mut list, 2));
        assert_eq!(list, [1, 2]);
    }
}
