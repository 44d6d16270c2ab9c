//! The machine, in words that name no host and no folder.

use std::fmt;
use std::process::Command;

use crate::tools;

/// What matters for the numbers.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    cores: usize,
    memory_gib: u64,
    processor: String,
    kernel: String,
    file_system: String,
}

impl Machine {
    /// Reads what the kernel tells.
    pub(crate) fn look(folder: &std::path::Path) -> Machine {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let said =
            |command: &mut Command| tools::output(command).map_or_else(|_| "unknown".into(), |text| text.trim().to_owned());
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib(&read("/proc/meminfo")),
            processor: processor(&read("/proc/cpuinfo")),
            // Without what a distribution or a provider puts behind the version.
            kernel: said(Command::new("uname").arg("-sr")).split('-').next().unwrap_or_default().to_owned(),
            file_system: said(Command::new("stat").args(["--file-system", "--format", "%T"]).arg(folder)),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, memory_gib, processor, kernel, file_system } = self;
        write!(f, "{cores} cores ({processor}), {memory_gib} GiB of memory, {kernel}, file system {file_system}")
    }
}

/// The day, for the page.
pub(crate) fn today() -> anyhow::Result<String> {
    Ok(tools::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned())
}

/// The time, in milliseconds since 1970, to the hour.
pub(crate) fn this_hour_ms() -> anyhow::Result<i64> {
    let seconds: i64 = tools::output(Command::new("date").args(["-u", "+%s"]))?.trim().parse()?;
    Ok(seconds / 3_600 * 3_600_000)
}

fn memory_gib(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    // What the kernel keeps for itself is missing from the sum: rounded up.
    kib.div_ceil(1_024 * 1_024)
}

fn processor(cpuinfo: &str) -> String {
    let named = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    named.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        assert_eq!(memory_gib("MemTotal:       24689220 kB\nMemFree: 1 kB\n"), 24);
        assert_eq!(processor("processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n"), "Some CPU @ 2.00GHz");
        assert_eq!(processor(""), std::env::consts::ARCH);
    }
}
