//! Places for what was fetched, one a URL, so that many requests at once make one fetch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A bounded number of places; clones share them.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<T>>>>>,
    most: usize,
}

impl<T> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Self { slots: Arc::clone(&self.slots), most: self.most }
    }
}

impl<T: Default> Slots<T> {
    /// Room for so many URLs.
    pub fn new(most: usize) -> Self {
        Self { slots: Arc::default(), most }
    }

    /// The place of a URL, empty at first. Whoever fetches holds its lock meanwhile.
    pub fn of(&self, url: &str) -> Arc<tokio::sync::Mutex<T>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= self.most && !slots.contains_key(url) {
            // Any one: what is in use comes back with its next request.
            let victim = slots.keys().next().cloned();
            victim.map(|victim| slots.remove(&victim));
        }
        Arc::clone(slots.entry(url.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_keeps_its_place_and_there_are_never_more_than_most() {
        let slots = Slots::<u8>::new(2);
        *slots.of("a").lock().await = 1;
        assert_eq!(*slots.clone().of("a").lock().await, 1);
        for url in ["b", "c", "d"] {
            slots.of(url);
        }
        assert_eq!(slots.slots.lock().unwrap().len(), 2);
    }
}
