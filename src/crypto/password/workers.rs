//! Threads that hash passwords and do nothing else.
//!
//! Whatever else wants the processor goes first: a flood of logins then takes what is left over, and the tokens of
//! those who are signed in come as fast as without it.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

/// What is added to the nice value of the threads: about a tenth of a processor that others want wholly is theirs,
/// all of it otherwise.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one process; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Workers(mpsc::Sender<Job>);

impl Workers {
    /// So many threads.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..count {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name("argon2".to_owned()).spawn(move || work(&jobs))?;
        }
        Ok(Self(sender))
    }

    /// Does a piece of work on one of them; none if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        self.0.send(Box::new(move || drop(sender.send(work())))).ok()?;
        done.await.ok()
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    #[cfg(target_os = "linux")]
    make_way();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Who waits for it learns of a panic by the channel that is gone.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

/// Linux has a nice value for each thread; elsewhere it would be the whole process's. A system that forbids it
/// loses the preference alone, and says so once.
#[cfg(target_os = "linux")]
fn make_way() {
    static TOLD: std::sync::Once = std::sync::Once::new();
    let lowered = rustix::process::getpriority_process(None)
        .and_then(|own| rustix::process::setpriority_process(None, own + NICE));
    if let Err(error) = lowered {
        TOLD.call_once(|| {
            tracing::warn!(%error, "setpriority is forbidden: hashing passwords does not make way for other requests");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_goes_on() {
        let workers = Workers::start(1).unwrap();
        assert_eq!(workers.run::<()>(|| panic!("on purpose")).await, None);
        assert_eq!(workers.run(|| 2 + 2).await, Some(4));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_come_after_all_others() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let workers = Workers::start(1).unwrap();
        assert_eq!(workers.run(nice).await, Some((before + NICE).min(19)));
        assert_eq!(nice(), before, "this thread keeps what it had");
    }

    /// What the unit forbids first it must allow afterwards (systemd.exec(5), `SystemCallFilter=`).
    #[test]
    fn the_systemd_unit_lets_them_do_so() {
        let unit = include_str!("../../../packaging/kenpos-idp.service");
        let (_, after) = unit.split_once("SystemCallFilter=~@privileged @resources").unwrap();
        assert!(after.lines().any(|line| line == "SystemCallFilter=setpriority"), "{after}");
    }
}
