//! Ephemeral records in Redis: one server, behind Sentinel, or a Cluster.
//!
//! Every operation is one command on one key. Those that compare and change are scripts of a line or
//! two, called by their SHA-1.

use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};

use super::{
    Condition, EphemeralError,
    connection::{Connector, Repeat, reason},
};
use crate::{
    clock::{Clock, Timestamp},
    config,
};

const SWAP: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

const COUNT: &str = "local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return count";

// The score of a member is when its time is over; the key lives as long as its longest member.
const TAG: &str = "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end";

/// The engine in Redis.
#[derive(Clone)]
pub(super) struct Redis(Arc<Inner>);

struct Inner {
    connector: Connector,
    prefix: String,
    clock: Clock,
    swap: Script,
    count: Script,
    tag: Script,
}

/// Lua code and the SHA-1 under which the server keeps it.
struct Script {
    code: &'static str,
    sha: String,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<RedisError> for EphemeralError {
    fn from(error: RedisError) -> Self {
        Self::Unavailable(reason(&error))
    }
}

impl Redis {
    pub(super) async fn new(cfg: &config::Ephemeral, clock: Clock) -> Result<Self, EphemeralError> {
        Ok(Self(Arc::new(Inner {
            connector: Connector::new(cfg).await?,
            prefix: cfg.prefix.clone(),
            clock,
            swap: Script::new(SWAP),
            count: Script::new(COUNT),
            tag: Script::new(TAG),
        })))
    }

    pub(super) fn name(&self) -> &'static str {
        self.0.connector.name()
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>, EphemeralError> {
        self.read(&self.command("GET", key)).await
    }

    pub(super) async fn put(&self, key: &str, text: &str, ttl: Duration) -> Result<(), EphemeralError> {
        self.change(self.command("SET", key).arg(text).arg("PX").arg(millis(ttl))).await
    }

    pub(super) async fn insert(&self, key: &str, text: &str, ttl: Duration) -> Result<bool, EphemeralError> {
        let mut set = self.command("SET", key);
        let done: Option<String> = self.change(set.arg(text).arg("NX").arg("PX").arg(millis(ttl))).await?;
        Ok(done.is_some())
    }

    pub(super) async fn swap(
        &self,
        key: &str,
        expected: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        self.script(&self.0.swap, key, &[expected, text, &millis(ttl)]).await
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        _read: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<Option<String>, EphemeralError> {
        let mut set = self.command("SET", key);
        self.change(set.arg(text).arg("XX").arg("GET").arg("PX").arg(millis(ttl))).await
    }

    pub(super) async fn take(&self, key: &str) -> Result<Option<String>, EphemeralError> {
        self.change(&self.command("GETDEL", key)).await
    }

    pub(super) async fn remove(&self, key: &str) -> Result<bool, EphemeralError> {
        self.change(&self.command("DEL", key)).await
    }

    pub(super) async fn count(&self, key: &str, window: Duration) -> Result<u64, EphemeralError> {
        self.script(&self.0.count, key, &[&millis(window)]).await
    }

    pub(super) async fn counted(&self, key: &str) -> Result<u64, EphemeralError> {
        let count: Option<u64> = self.read(&self.command("GET", key)).await?;
        Ok(count.unwrap_or(0))
    }

    pub(super) async fn remove_count(&self, key: &str) -> Result<(), EphemeralError> {
        self.change(&self.command("DEL", key)).await
    }

    pub(super) async fn tag(&self, key: &str, member: &str, ttl: Duration) -> Result<(), EphemeralError> {
        let now = self.0.clock.now();
        let (now, end) = (now.millis().to_string(), now.plus(ttl).millis().to_string());
        self.script(&self.0.tag, key, &[&now, &end, member, &millis(ttl)]).await
    }

    pub(super) async fn untag(&self, key: &str, member: &str) -> Result<(), EphemeralError> {
        self.change(self.command("ZREM", key).arg(member)).await
    }

    pub(super) async fn tagged(&self, key: &str) -> Result<Vec<String>, EphemeralError> {
        let later = format!("({}", self.0.clock.now().millis());
        self.read(self.command("ZRANGEBYSCORE", key).arg(later).arg("+inf")).await
    }

    pub(super) async fn ping(&self) -> Result<(), EphemeralError> {
        self.read(&cmd("PING")).await
    }

    pub(super) async fn condition(&self) -> Result<Condition, EphemeralError> {
        let time: Value = self.read(&cmd("TIME")).await?;
        let persistence: Value = self.read(cmd("INFO").arg("persistence")).await?;
        let memory: Value = self.read(cmd("INFO").arg("memory")).await?;
        let (mut clock, mut settings) = (Vec::new(), Vec::new());
        words(&time, &mut clock);
        words(&persistence, &mut settings);
        words(&memory, &mut settings);
        let told = |name: &str| -> Vec<&str> {
            let lines = settings.iter().flat_map(|text| text.lines());
            lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect()
        };
        let (files, policies) = (told("aof_enabled"), told("maxmemory_policy"));
        let eviction = policies.iter().find(|policy| **policy != "noeviction").or(policies.first());
        let mut numbers = clock.iter().filter_map(|text| text.parse::<i64>().ok());
        let time = numbers.next().zip(numbers.next()).map(|(seconds, micros)| {
            Timestamp::from_millis(seconds.saturating_mul(1000).saturating_add(micros / 1000))
        });
        Ok(Condition {
            append_only: !files.is_empty() && files.iter().all(|on| *on == "1"),
            eviction: eviction.map(|policy| (*policy).to_owned()),
            time,
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.0.prefix)
    }

    fn command(&self, name: &str, key: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(self.key(key));
        command
    }

    async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, EphemeralError> {
        Ok(self.0.connector.run(command, Repeat::Harmless).await?)
    }

    async fn change<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, EphemeralError> {
        Ok(self.0.connector.run(command, Repeat::OnlyIfRefused).await?)
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        args: &[&str],
    ) -> Result<T, EphemeralError> {
        let call = |name: &str, script: &str| {
            let mut call = cmd(name);
            call.arg(script).arg(1).arg(self.key(key)).arg(args);
            call
        };
        match self.0.connector.run(&call("EVALSHA", &script.sha), Repeat::OnlyIfRefused).await {
            // A server that does not know the script has done nothing; EVAL runs it and keeps it.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.change(&call("EVAL", script.code)).await
            }
            done => Ok(done?),
        }
    }
}

/// Every text and number of an answer, in order; a Cluster's holds those of its nodes.
fn words(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::BulkString(bytes) => found.push(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => found.push(text.clone()),
        Value::Int(number) => found.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| words(value, found)),
        Value::Map(pairs) => pairs.iter().for_each(|(_, value)| words(value, found)),
        _ => {}
    }
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, sha: redis::Script::new(code).get_hash().to_owned() }
    }
}

fn millis(ttl: Duration) -> String {
    ttl.as_millis().to_string()
}
