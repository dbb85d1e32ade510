//! What was done, what failed, and what must not have happened.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::balancer::Trouble;

/// The flows that the load is made of.
pub const FLOWS: [&str; 4] = ["sign in", "refresh", "register", "operate"];
/// Codes and refresh tokens from this long ago at most are tried again at the end.
const REMEMBERED: usize = 200;

/// A registration that the provider said was complete.
#[derive(Clone, Debug)]
pub struct Registered {
    pub number: String,
    pub email: String,
}

/// A code that was redeemed.
#[derive(Clone, Debug)]
pub struct Redeemed {
    pub code: String,
    pub verifier: String,
}

/// What a run comes to.
#[derive(Default)]
pub struct Sums {
    pub done: BTreeMap<&'static str, u64>,
    pub errors: BTreeMap<String, u64>,
    pub wrong: Vec<String>,
    pub registered: Vec<Registered>,
    pub sent: BTreeMap<String, usize>,
    pub acts: Vec<String>,
    pub codes: VecDeque<Redeemed>,
    pub retired: VecDeque<String>,
    successes: Vec<(Instant, &'static str)>,
    last_error: Option<Instant>,
}

/// The one book of a scenario.
#[derive(Default)]
pub struct Ledger(Mutex<Sums>);

impl Ledger {
    /// What is in it.
    pub fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A flow came to its good end.
    pub fn done(&self, flow: &'static str) {
        let mut sums = self.sums();
        *sums.done.entry(flow).or_default() += 1;
        sums.successes.push((Instant::now(), flow));
    }

    /// Something failed, honestly.
    pub fn error(&self, flow: &str, trouble: &Trouble) {
        self.failed(format!("{flow}: {}", trouble.kind()));
    }

    /// The same in words of its own.
    pub fn failed(&self, what: String) {
        let mut sums = self.sums();
        *sums.errors.entry(what).or_default() += 1;
        sums.last_error = Some(Instant::now());
    }

    /// Something happened that must never happen.
    pub fn wrong(&self, what: impl Into<String>) {
        let what = what.into();
        eprintln!("  WRONG: {what}");
        self.sums().wrong.push(what);
    }

    /// A code that must never be worth anything again.
    pub fn redeemed(&self, code: &str, verifier: &str) {
        let mut sums = self.sums();
        sums.codes.push_back(Redeemed { code: code.to_owned(), verifier: verifier.to_owned() });
        if sums.codes.len() > REMEMBERED {
            sums.codes.pop_front();
        }
    }
}

impl Sums {
    /// Time from `over` to the last failure, if every flow succeeded after that.
    pub fn recovery(&self, over: Instant) -> Option<Duration> {
        let last = self.last_error.filter(|at| *at > over).unwrap_or(over);
        let since = |flow: &&str| self.successes.iter().any(|(at, done)| *at >= last && done == flow);
        FLOWS.iter().all(since).then(|| last - over)
    }

    /// The longest time in which nothing at all succeeded.
    pub fn longest_pause(&self) -> Duration {
        let pairs = self.successes.iter().zip(self.successes.iter().skip(1));
        pairs.map(|((one, _), (next, _))| *next - *one).max().unwrap_or_default()
    }

    /// How often a node said to come back later.
    pub fn unavailable(&self) -> u64 {
        self.errors.iter().filter(|(what, _)| what.ends_with(" 503")).map(|(_, times)| times).sum()
    }

    /// How much was done.
    pub fn total(&self) -> u64 {
        self.done.values().sum()
    }
}
