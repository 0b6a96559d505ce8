//! Latency by percentile as plain text: the form that plotters of HDR histograms read.

use std::fmt::Write;

use hdrhistogram::Histogram;

/// Lines for each halving of the distance to 100 percent.
const LINES_PER_HALF: u32 = 5;
const US_PER_MS: f64 = 1_000.0;

/// Values in milliseconds, of which the third decimal is the microsecond.
#[must_use]
pub fn hgrm(latency_us: &Histogram<u64>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut count = 0;
    for value in latency_us.iter_quantiles(LINES_PER_HALF) {
        count += value.count_since_last_iteration();
        let (value_ms, share) = (value.value_iterated_to() as f64 / US_PER_MS, value.quantile_iterated_to());
        let _ = write!(text, "{value_ms:12.3} {share:2.12} {count:10}");
        // The plotters take the last line without its last column.
        let _ = if share < 1.0 { writeln!(text, " {:14.2}", 1.0 / (1.0 - share)) } else { writeln!(text) };
    }
    text + &footer(latency_us)
}

fn footer(latency_us: &Histogram<u64>) -> String {
    let (mean_ms, deviation_ms) = (latency_us.mean() / US_PER_MS, latency_us.stdev() / US_PER_MS);
    let (max_ms, total) = (latency_us.max() as f64 / US_PER_MS, latency_us.len());
    let (buckets, sub_buckets) = (latency_us.buckets(), sub_buckets(latency_us.sigfig()));
    format!(
        "#[Mean    = {mean_ms:12.3}, StdDeviation   = {deviation_ms:12.3}]\n\
         #[Max     = {max_ms:12.3}, Total count    = {total:12}]\n\
         #[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]\n"
    )
}

/// Values that a bucket tells apart, so that `digits` decimal digits are kept.
const fn sub_buckets(digits: u8) -> u64 {
    (2 * 10_u64.pow(digits as u32)).next_power_of_two()
}
