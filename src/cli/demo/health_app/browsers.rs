//! What the app remembers of each browser: in memory alone, and of so many browsers at most.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::relying_party::{Attempt, SignedIn};
use crate::clock::Entropy;

/// Browsers that are remembered; the one that was idle longest makes room.
const MOST: usize = 1_000;
/// Logins that one browser may have under way, in tabs of their own.
const MOST_ATTEMPTS: usize = 8;

#[derive(Default)]
struct Browser {
    attempts: VecDeque<Attempt>,
    signed_in: Option<SignedIn>,
    /// Counts up with every use of any browser.
    used: u64,
}

#[derive(Default)]
struct Known {
    browsers: HashMap<String, Browser>,
    uses: u64,
}

impl Known {
    /// The browser of this ID, which now is the one that was used last.
    fn find(&mut self, id: &str) -> Option<&mut Browser> {
        self.uses += 1;
        let browser = self.browsers.get_mut(id)?;
        browser.used = self.uses;
        Some(browser)
    }

    fn add(&mut self, id: String, browser: Browser) {
        if self.browsers.len() >= MOST {
            let idlest = self.browsers.iter().min_by_key(|(_, browser)| browser.used);
            if let Some(id) = idlest.map(|(id, _)| id.clone()) {
                self.browsers.remove(&id);
            }
        }
        self.uses += 1;
        self.browsers.insert(id, Browser { used: self.uses, ..browser });
    }
}

/// Every browser that came, by the random ID in its cookie.
pub struct Browsers {
    known: Mutex<Known>,
    entropy: Entropy,
}

impl Browsers {
    /// None yet.
    pub fn new(entropy: Entropy) -> Self {
        Self { known: Mutex::default(), entropy }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a login that was begun, for the browser of this ID or a new one; gives its ID.
    pub fn begin(&self, id: Option<String>, attempt: Attempt) -> String {
        let mut known = self.known();
        if let Some(id) = id
            && let Some(browser) = known.find(&id)
        {
            if browser.attempts.len() == MOST_ATTEMPTS {
                browser.attempts.pop_front();
            }
            browser.attempts.push_back(attempt);
            return id;
        }
        let id = self.entropy.secret();
        known.add(id.clone(), Browser { attempts: [attempt].into(), ..Browser::default() });
        id
    }

    /// The login of this state, which this very browser began; it is found once.
    pub fn take(&self, id: &str, state: &str) -> Option<Attempt> {
        let mut known = self.known();
        let browser = known.find(id)?;
        let place = browser.attempts.iter().position(|attempt| attempt.state == state)?;
        browser.attempts.remove(place)
    }

    /// Signs the browser in under a new ID, so that an ID from before is worth nothing.
    pub fn sign_in(&self, old: &str, member: SignedIn) -> String {
        let mut known = self.known();
        let browser = known.browsers.remove(old).unwrap_or_default();
        let id = self.entropy.secret();
        known.add(id.clone(), Browser { signed_in: Some(member), ..browser });
        id
    }

    /// The member who is signed in.
    pub fn signed_in(&self, id: &str) -> Option<SignedIn> {
        self.known().find(id)?.signed_in.clone()
    }

    /// Replaces what is known of the member, unless the browser signed out meanwhile.
    pub fn renew(&self, id: &str, member: SignedIn) {
        if let Some(known) = self.known().find(id).and_then(|browser| browser.signed_in.as_mut()) {
            *known = member;
        }
    }

    /// Forgets the browser.
    pub fn sign_out(&self, id: &str) {
        self.known().browsers.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::health_app::relying_party::Attempt;

    #[test]
    fn a_state_is_found_once_and_only_by_its_own_browser() {
        let browsers = Browsers::new(Entropy::system());
        let one = browsers.begin(None, Attempt::sample("a"));
        let other = browsers.begin(Some("unknown".to_owned()), Attempt::sample("b"));
        assert_ne!(other, "unknown", "an ID that the app did not make was taken over");
        assert_eq!(browsers.begin(Some(one.clone()), Attempt::sample("c")), one);
        assert!(browsers.take(&one, "b").is_none());
        assert!(browsers.take("unknown", "b").is_none());
        assert!(browsers.take(&one, "a").is_some());
        assert!(browsers.take(&one, "a").is_none());
        assert!(browsers.take(&one, "c").is_some());
    }

    #[test]
    fn the_browser_that_was_idle_longest_makes_room() {
        let browsers = Browsers::new(Entropy::system());
        let busy = browsers.begin(None, Attempt::sample("busy"));
        let idle = browsers.begin(None, Attempt::sample("idle"));
        for _ in 2..=MOST {
            browsers.begin(None, Attempt::sample("x"));
            browsers.signed_in(&busy);
        }
        assert_eq!(browsers.known().browsers.len(), MOST);
        assert!(browsers.take(&idle, "idle").is_none());
        assert!(browsers.take(&busy, "busy").is_some());
        for _ in 0..=MOST_ATTEMPTS {
            browsers.begin(Some(busy.clone()), Attempt::sample("again"));
        }
        assert_eq!(browsers.known().browsers[&busy].attempts.len(), MOST_ATTEMPTS);
    }
}
