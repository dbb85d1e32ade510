//! Medians, and how far they can be trusted.

/// A median with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Median {
    /// The median.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The value below which `part` (0 to 1) of the values lie.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The median of `values`, drawn again 2,000 times with a fixed seed.
pub fn median(values: &[f64]) -> Median {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        // xorshift64*; good enough to pick samples.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0) % below
    };
    let medians: Vec<f64> = (0..2000)
        .map(|_| {
            let sample: Vec<f64> = values.iter().map(|_| values[draw(values.len())]).collect();
            quantile(&sample, 0.5)
        })
        .collect();
    Median { value: quantile(values, 0.5), low: quantile(&medians, 0.025), high: quantile(&medians, 0.975) }
}
