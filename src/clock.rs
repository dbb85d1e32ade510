//! The only place that reads the wall clock and the operating system's randomness.
//!
//! Everything that depends on time or chance asks the [`Clock`] or the [`Entropy`] that the
//! [`App`](crate::app::App) was given, so a test can hold time still and move it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, as it stands in SQL and in ephemeral records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, the `NumericDate` of RFC 7519 §2.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later; stops at the end of time instead of overflowing.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The calendar day in Japan (UTC+9, no summer time), which is the calendar of the service.
    pub fn day_in_japan(self) -> jiff::civil::Date {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        jiff::tz::offset(9).to_datetime(instant).date()
    }

    /// When a calendar day begins in Japan.
    pub fn start_of_day_in_japan(day: jiff::civil::Date) -> Self {
        let midnight = day.to_datetime(jiff::civil::Time::midnight());
        let far = if day < jiff::civil::Date::ZERO { i64::MIN } else { i64::MAX };
        Self(jiff::tz::offset(9).to_timestamp(midnight).map_or(far, jiff::Timestamp::as_millisecond))
    }

    /// Time from `earlier` to this instant; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The clock that the server goes by.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved; every clone moves with it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "the one reading of the wall clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Manual(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(millis) = &self.0 {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// The operating system's randomness could not be read; nothing secret can be made.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no randomness: {0}")]
pub struct EntropyError(String);

/// Where every secret, identifier and salt comes from.
#[derive(Clone, Default)]
pub struct Entropy(());

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(operating system)")
    }
}

impl Entropy {
    /// The operating system's generator.
    pub const fn system() -> Self {
        Self(())
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: no answer that needs a secret could be
    /// honest then, and the panic becomes an error page.
    #[expect(clippy::disallowed_methods, reason = "the one reading of the system's randomness")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        if let Err(error) = getrandom::fill(&mut bytes) {
            panic!("{}", EntropyError(error.to_string()));
        }
        bytes
    }

    /// A secret of 256 bits as 43 characters of base64url.
    pub fn secret(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// An identifier of 128 bits as 22 characters of base64url: unguessable, not secret.
    pub fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<16>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_with_all_its_clones() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let clone = clock.clone();
        assert_eq!(clone.now(), clock.now());
        clock.advance(Duration::from_secs(2));
        assert_eq!(clone.now().millis(), 3_000);
        assert_eq!(clone.now().since(Timestamp::from_millis(500)), Duration::from_millis(2_500));
    }

    #[test]
    fn a_day_in_japan_begins_nine_hours_before_the_day_of_utc() {
        let midnight = Timestamp::from_millis(1_767_193_200_000); // 2025-12-31T15:00:00Z
        assert_eq!(midnight.day_in_japan().to_string(), "2026-01-01");
        assert_eq!(midnight.minus(Duration::from_millis(1)).day_in_japan().to_string(), "2025-12-31");
        assert_eq!(Timestamp::from_millis(i64::MAX).day_in_japan().year(), 9999);
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let entropy = Entropy::system();
        assert_eq!(entropy.secret().len(), 43);
        assert_eq!(entropy.id().len(), 22);
        assert_ne!(entropy.secret(), entropy.secret());
    }
}
