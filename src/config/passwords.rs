//! `[passwords]`: what hashing a password costs, and how much of it happens at once.

use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use super::Problems;

/// The section `[passwords]`. Hashing takes at most `memory_kib` × `concurrent` of memory: with the
/// defaults 19 MiB for each core. Tests use cheap parameters (8 KiB, one iteration).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Memory of one Argon2id run, in KiB (parameter `m` of RFC 9106).
    pub memory_kib: u32,
    /// Passes over that memory (parameter `t`).
    pub iterations: u32,
    /// Lanes of that memory (parameter `p`); they are computed one after the other.
    pub parallelism: u32,
    /// Runs at the same time; the number of cores unless set.
    pub concurrent: usize,
    /// Requests that may wait for a run; one more is told to come back later.
    pub queue: usize,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            concurrent: available_parallelism().map_or(1, usize::from),
            queue: 64,
        }
    }
}

impl Passwords {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        problems.require((1..=255).contains(&self.parallelism), "passwords.parallelism", "must be 1 to 255");
        // RFC 9106 §3.1: at least 8 × p KiB.
        let least = self.parallelism.saturating_mul(8);
        problems.require(
            (least..=4_194_304).contains(&self.memory_kib),
            "passwords.memory_kib",
            format!("must be {least} (8 for each of parallelism) to 4194304"),
        );
        problems.require((1..=100).contains(&self.iterations), "passwords.iterations", "must be 1 to 100");
        problems.require((1..=1024).contains(&self.concurrent), "passwords.concurrent", "must be 1 to 1024");
        problems.require(self.queue <= 100_000, "passwords.queue", "must be 0 to 100000");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(passwords: &Passwords) -> Vec<String> {
        let mut problems = Problems::default();
        passwords.validate(&mut problems);
        problems.into_result().err().unwrap_or_default()
    }

    #[test]
    fn the_default_is_valid_and_too_little_memory_for_the_lanes_is_not() {
        let default = Passwords::default();
        assert!(problems(&default).is_empty());
        assert!(default.concurrent >= 1);
        let lanes = Passwords { memory_kib: 31, parallelism: 4, ..default.clone() };
        assert!(problems(&lanes)[0].starts_with("passwords.memory_kib: must be 32"));
        assert!(problems(&Passwords { memory_kib: 32, ..lanes }).is_empty());
        let none = Passwords { iterations: 0, concurrent: 0, queue: usize::MAX, ..default };
        assert_eq!(problems(&none).len(), 3);
    }
}
