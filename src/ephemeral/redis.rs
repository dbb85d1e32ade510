//! Ephemeral records in Redis.

use std::time::Duration;

use super::EphemeralError;
use crate::{clock::Clock, config};

/// The engine in Redis.
#[derive(Clone, Debug)]
pub(super) struct Redis {}

impl Redis {
    pub(super) async fn new(_cfg: &config::Ephemeral, _clock: Clock) -> Result<Self, EphemeralError> {
        todo!()
    }
    pub(super) const fn name(&self) -> &'static str {
        "Redis"
    }
    pub(super) async fn get(&self, _key: &str) -> Result<Option<String>, EphemeralError> {
        todo!()
    }
    pub(super) async fn put(&self, _key: &str, _text: &str, _ttl: Duration) -> Result<(), EphemeralError> {
        todo!()
    }
    pub(super) async fn insert(
        &self,
        _key: &str,
        _text: &str,
        _ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        todo!()
    }
    pub(super) async fn swap(
        &self,
        _key: &str,
        _expected: &str,
        _text: &str,
        _ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        todo!()
    }
    pub(super) async fn take(&self, _key: &str) -> Result<Option<String>, EphemeralError> {
        todo!()
    }
    pub(super) async fn remove(&self, _key: &str) -> Result<bool, EphemeralError> {
        todo!()
    }
    pub(super) async fn count(&self, _key: &str, _window: Duration) -> Result<u64, EphemeralError> {
        todo!()
    }
    pub(super) async fn counted(&self, _key: &str) -> Result<u64, EphemeralError> {
        todo!()
    }
    pub(super) async fn remove_count(&self, _key: &str) -> Result<(), EphemeralError> {
        todo!()
    }
    pub(super) async fn tag(&self, _key: &str, _member: &str, _ttl: Duration) -> Result<(), EphemeralError> {
        todo!()
    }
    pub(super) async fn untag(&self, _key: &str, _member: &str) -> Result<(), EphemeralError> {
        todo!()
    }
    pub(super) async fn tagged(&self, _key: &str) -> Result<Vec<String>, EphemeralError> {
        todo!()
    }
    pub(super) async fn ping(&self) -> Result<(), EphemeralError> {
        todo!()
    }
}
