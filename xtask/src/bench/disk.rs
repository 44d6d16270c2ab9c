//! How long the disk takes to make 4 KiB durable: what no durable write can be faster than.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::numbers::percentile_ms;
use crate::stopwatch::Stopwatch;

const WRITES: usize = 200;
const BLOCK: [u8; 4_096] = [0xac; 4_096];

/// The time of a write and `fdatasync` of 4 KiB at the end of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Measures it in that folder.
pub(crate) fn measure(folder: &Path) -> anyhow::Result<Latency> {
    let path = folder.join("sync-latency");
    let mut times = times(&path).with_context(|| format!("could not write to {}", path.display()))?;
    std::fs::remove_dir_all(folder).with_context(|| format!("could not clear {}", folder.display()))?;
    Ok(Latency { p50_ms: percentile_ms(&mut times, 50), p99_ms: percentile_ms(&mut times, 99) })
}

fn times(path: &Path) -> std::io::Result<Vec<Duration>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let watch = Stopwatch::start();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        times.push(watch.elapsed());
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_measures_and_clears_up() {
        let folder = std::env::temp_dir().join(format!("acta-bench-disk-{}", std::process::id()));
        let latency = measure(&folder).unwrap();
        assert!(latency.p50_ms > 0.0 && latency.p50_ms <= latency.p99_ms);
        assert!(!folder.exists());
    }
}
