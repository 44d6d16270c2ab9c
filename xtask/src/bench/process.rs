//! What the kernel says of a running process, and folders' sizes. Linux only, like the rest of the measurements.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::stopwatch::wait_until;
use crate::tools;

/// Clock ticks per second in `/proc`: 100 on every architecture that we know of.
const TICKS: f64 = 100.0;

/// The processor time of a process, and of its children that ended, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    Ok(Stat::of(pid)?.seconds)
}

/// The same, with the children that are running.
pub(crate) fn cpu_seconds_of_family(pid: u32) -> anyhow::Result<f64> {
    let mut seconds = cpu_seconds(pid)?;
    for entry in std::fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that ended meanwhile is in its parent's sum; at worst we miss it, and it did next to nothing.
        if let Ok(stat) = Stat::of(child)
            && stat.parent == pid
        {
            seconds += stat.seconds;
        }
    }
    Ok(seconds)
}

/// The most memory that the process ever held, in bytes.
pub(crate) fn peak_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc tells no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("VmHWM is no number")?;
    Ok(kib * 1_024)
}

/// Begins anew to watch for the most memory, from what the process holds now on.
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    // proc(5): 5 resets the peak resident set size.
    let path = format!("/proc/{pid}/clear_refs");
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).with_context(|| format!("could not open {path}"))?;
    std::io::Write::write_all(&mut file, b"5").with_context(|| format!("could not write {path}"))
}

/// What a process and its children hold now, in bytes; what several of them share counts once.
pub(crate) fn held_bytes_of_family(pid: u32) -> anyhow::Result<u64> {
    let mut kib = 0;
    for entry in std::fs::read_dir("/proc")? {
        let Some(one) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let is_family = one == pid || Stat::of(one).is_ok_and(|stat| stat.parent == pid);
        // One that ended meanwhile holds nothing.
        let rollup = if is_family { std::fs::read_to_string(format!("/proc/{one}/smaps_rollup")) } else { continue };
        let line = rollup.unwrap_or_default();
        let line = line.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
        kib += line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    }
    Ok(kib * 1_024)
}

/// What a folder's files take on the disk, in bytes.
pub(crate) fn folder_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { folder_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// A server that we started; it is killed if nobody stops it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    name: &'static str,
}

impl Server {
    /// Starts it.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Server> {
        let child = command.spawn().with_context(|| format!("could not start `{}`", tools::typed(command)))?;
        Ok(Server { child, name })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self, signal: &str) -> anyhow::Result<()> {
        send(signal, self.pid())?;
        match wait_until(Duration::from_secs(120), || self.ended()) {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{} ended with {status} when it was asked to stop", self.name),
            None => bail!("{} did not stop within two minutes", self.name),
        }
    }
}

impl Server {
    /// Kills it, as a failing machine would.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        send("KILL", self.pid())?;
        self.child.wait().map(drop).with_context(|| format!("{} could not be waited for", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // PostgreSQL takes QUIT for "stop at once, with all processes"; KILL is for what does not listen.
            let _asked = send("QUIT", self.pid());
            if wait_until(Duration::from_secs(5), || self.ended()).is_none() {
                let _killed = self.child.kill();
                let _reaped = self.child.wait();
            }
        }
    }
}

fn send(signal: &str, pid: u32) -> anyhow::Result<()> {
    tools::output(Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string())).map(drop)
}

struct Stat {
    parent: u32,
    seconds: f64,
}

impl Stat {
    fn of(pid: u32) -> anyhow::Result<Stat> {
        let path = format!("/proc/{pid}/stat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
        Stat::parse(&text).with_context(|| format!("{path} is not as it was always written"))
    }

    /// The name in parentheses may hold anything, so the fields are counted from the last parenthesis.
    fn parse(text: &str) -> Option<Stat> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let mut ticks = 0.0;
        for field in fields.get(11..15)? {
            ticks += field.parse::<f64>().ok()?;
        }
        Some(Stat { parent: fields.get(1)?.parse().ok()?, seconds: ticks / TICKS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_an_odd_name() {
        let stat = Stat::parse("77 (a ) b) S 12 77 77 0 -1 4194560 0 0 0 0 150 50 20 30 20 0 1 0").unwrap();
        assert_eq!((stat.parent, stat.seconds), (12, 2.5));
        assert!(Stat::parse("77 (x) S 12").is_none());
    }

    #[test]
    fn our_own_process_can_be_read() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).unwrap() <= cpu_seconds_of_family(pid).unwrap() + 0.1);
        assert!(peak_bytes(pid).unwrap() > 100_000);
    }

    #[test]
    fn a_server_that_nobody_stops_is_killed() {
        let mut command = Command::new("cat");
        command.stdin(std::process::Stdio::piped());
        let mut server = Server::start("cat", &mut command).unwrap();
        let proc = Path::new("/proc").join(server.pid().to_string());
        assert!(server.ended().is_none() && proc.exists());
        drop(server);
        assert!(!proc.exists());
    }
}
