//! Latencies, counted in buckets whose width grows with the value.

use serde::Serialize;
use std::time::Duration;

/// Each doubling of the value is cut into this many buckets, so a percentile is at most 1/128 too high.
const BUCKETS_PER_DOUBLING: u64 = 128;
const BUCKET_BITS: u32 = 7;
const BUCKETS: usize = (64 - BUCKET_BITS as usize + 1) * BUCKETS_PER_DOUBLING as usize;

/// Counts of spans, in nanoseconds. Its size is fixed (58 KiB) however many spans it counts.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum_nanos: u128,
    least_nanos: u64,
    greatest_nanos: u64,
}

/// What is told of a histogram, in milliseconds. All zero when nothing was counted.
#[derive(Debug, Clone, Copy, Default, Serialize, PartialEq)]
pub struct Latency {
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, sum_nanos: 0, least_nanos: u64::MAX, greatest_nanos: 0 }
    }
}

impl Histogram {
    /// Counts one span.
    pub fn record(&mut self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(nanos)) {
            *count += 1;
        }
        self.count += 1;
        self.sum_nanos += u128::from(nanos);
        self.least_nanos = self.least_nanos.min(nanos);
        self.greatest_nanos = self.greatest_nanos.max(nanos);
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_nanos += other.sum_nanos;
        self.least_nanos = self.least_nanos.min(other.least_nanos);
        self.greatest_nanos = self.greatest_nanos.max(other.greatest_nanos);
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The span, in nanoseconds, that `fraction` of all spans did not exceed: the upper end of its bucket, and
    /// never more than the greatest span.
    fn percentile_nanos(&self, fraction: f64) -> u64 {
        let wanted = ((self.count as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return bucket_end(bucket).clamp(self.least_nanos, self.greatest_nanos);
            }
        }
        self.greatest_nanos
    }

    /// The figures to be told.
    pub fn latency(&self) -> Latency {
        if self.count == 0 {
            return Latency::default();
        }
        let percentile = |fraction| millis(self.percentile_nanos(fraction));
        Latency {
            min: millis(self.least_nanos),
            mean: self.sum_nanos as f64 / self.count as f64 / 1e6,
            p50: percentile(0.50),
            p90: percentile(0.90),
            p99: percentile(0.99),
            p999: percentile(0.999),
            max: millis(self.greatest_nanos),
        }
    }
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// Values below 128 have a bucket each; above, the seven bits after the leading one choose it.
fn bucket_of(nanos: u64) -> usize {
    let doublings = (u64::BITS - nanos.leading_zeros()).saturating_sub(BUCKET_BITS + 1);
    let within = nanos >> doublings;
    usize::try_from(u64::from(doublings) * BUCKETS_PER_DOUBLING + within).unwrap_or(BUCKETS - 1)
}

/// The greatest value that falls into the bucket.
fn bucket_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * BUCKETS_PER_DOUBLING {
        return bucket;
    }
    let doublings = bucket / BUCKETS_PER_DOUBLING - 1;
    let within = bucket - doublings * BUCKETS_PER_DOUBLING;
    u64::try_from(((u128::from(within) + 1) << doublings) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Histogram, Latency, bucket_end, bucket_of};
    use std::time::Duration;

    #[test]
    fn every_value_lies_in_a_bucket_that_ends_at_most_a_128th_later() {
        let mut value = 0_u64;
        while value < u64::MAX / 4 {
            for near in [value.saturating_sub(1), value, value + 1] {
                let bucket = bucket_of(near);
                assert!(bucket < BUCKETS);
                let end = bucket_end(bucket);
                assert!(end >= near && end - near <= near / 128, "{near} in a bucket that ends at {end}");
                assert!(bucket == 0 || bucket_end(bucket - 1) < near);
            }
            value = value * 3 / 2 + 1;
        }
        assert!(bucket_of(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_of_one_to_a_thousand_milliseconds() {
        let (mut low, mut high) = (Histogram::default(), Histogram::default());
        for millis in 1..=1000 {
            let half = if millis <= 500 { &mut low } else { &mut high };
            half.record(Duration::from_millis(millis));
        }
        low.add(&high);
        assert_eq!(low.count(), 1000);
        let latency = low.latency();
        for (found, wanted) in [(latency.p50, 500.0), (latency.p90, 900.0), (latency.p99, 990.0), (latency.p999, 999.0)]
        {
            assert!(found >= wanted && found <= wanted * 1.008, "{found} for {wanted}");
        }
        assert_eq!((latency.min, latency.max, latency.mean), (1.0, 1000.0, 500.5));
    }

    #[test]
    fn one_span_is_every_percentile_and_none_is_zero() {
        assert_eq!(Histogram::default().latency(), Latency::default());
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_micros(1234));
        let latency = histogram.latency();
        assert_eq!((latency.p50, latency.p999, latency.max), (1.234, 1.234, 1.234));
    }
}
