//! What the system knows of a process.

use std::{fs, time::Duration};

use crate::Failure;

/// The unit in which Linux counts CPU time for others to read: 1/100 s on every machine.
const CLOCK_TICK: Duration = Duration::from_millis(10);

/// The CPU time that this process has used so far, in steps of 10 ms.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn cpu_used() -> Result<Duration, Failure> {
    let ticks = cpu_ticks(&fs::read_to_string("/proc/self/stat")?);
    let ticks = ticks.ok_or("/proc/self/stat is not as expected")?;
    Ok(CLOCK_TICK.saturating_mul(ticks))
}

/// The memory of a process that is in RAM now, in MiB.
///
/// # Errors
/// Where there is no `/proc`, or no such process any more.
pub(crate) fn resident_mib(id: u32) -> Result<f64, Failure> {
    let kib = resident_kib(&fs::read_to_string(format!("/proc/{id}/status"))?);
    Ok(f64::from(kib.ok_or("/proc/…/status is not as expected")?) / 1024.0)
}

/// The 14th and 15th word, in user and kernel mode. The second is a name in brackets that may hold blanks.
fn cpu_ticks(stat: &str) -> Option<u32> {
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, kernel): (u32, u32) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    user.checked_add(kernel)
}

fn resident_kib(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_in_the_name_of_a_process_moves_nothing() {
        let stat = "17 (two (words) S 1 17 17 0 -1 4194560 3 0 0 0 250 50 0 0 20 0 9 0 77";
        assert_eq!(cpu_ticks(stat), Some(300));
    }

    #[test]
    fn this_process_is_somewhere_in_memory() {
        assert!(resident_mib(std::process::id()).expect("it runs") > 0.1);
    }
}
