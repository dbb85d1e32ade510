//! Server processes, each on a core of its own, and what the kernel knows of them.

use std::{
    fs, io,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::http::Connection;

/// The core of the servers under test; everything else is on [`OTHERS`].
const SERVER: &str = "0";
/// The core of the driver, Redis and PostgreSQL.
const OTHERS: &str = "1";

/// Puts this process, and all that it starts, on the core of the others.
pub fn pin_driver() -> io::Result<()> {
    let me = std::process::id().to_string();
    let done = Command::new("taskset").args(["-a", "-c", "-p", OTHERS, &me]).output()?;
    if done.status.success() {
        Ok(())
    } else {
        Err(io::Error::other("taskset failed (Debian package util-linux)"))
    }
}

/// A server on the core of the servers.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to its first 200.
    pub started_in: Duration,
}

impl Process {
    /// Starts `command` and waits until `path` answers 200.
    pub async fn start(command: &[&str], address: SocketAddr, host: &str, path: &str) -> io::Result<Self> {
        let begin = Instant::now();
        let child = Command::new("taskset")
            .args(["-c", SERVER])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut process = Self { child, address, started_in: Duration::ZERO };
        loop {
            if let Ok(mut connection) = Connection::open(address, host).await
                && connection.get(path, "").await.is_ok_and(|answer| answer.status == 200)
            {
                process.started_in = begin.elapsed();
                return Ok(process);
            }
            if let Some(status) = process.child.try_wait()? {
                return Err(io::Error::other(format!("{command:?} ended with {status}")));
            }
            if begin.elapsed() > Duration::from_secs(120) {
                return Err(io::Error::other(format!("{command:?} does not answer")));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// CPU time so far, user and system.
    pub fn cpu(&self) -> io::Result<Duration> {
        cpu_of(self.child.id())
    }

    /// A line of `/proc/PID/status` in KiB: `VmRSS` is now, `VmHWM` the most so far.
    pub fn memory_kib(&self, line: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        line.and_then(|text| text.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| io::Error::other("no such line in /proc/PID/status"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process: of each of its threads, to the nanosecond (`/proc/PID/task/TID/schedstat`), where
/// `utime + stime` would count in steps of 10 ms. Threads that ended do not count; the servers end none.
pub fn cpu_of(pid: u32) -> io::Result<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}

/// Ticks of all cores, and how many of them the host took away.
pub fn steal() -> io::Result<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    Ok((ticks.iter().take(8).sum(), ticks.get(7).copied().unwrap_or(0)))
}
