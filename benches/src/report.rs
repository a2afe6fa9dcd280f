//! What is told of a run: a table for people, and `target/bench/report.json` for what reads it later.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{
    Failure,
    figures::{Figures, Kind, kinds},
};

/// Where the report lies, and during a run everything that is written: a real disk, as the sources are on.
const FOLDER: &str = "target/bench";

/// The folder of the report, made where there is none.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    fs::create_dir_all(FOLDER)?;
    Ok(fs::canonicalize(FOLDER)?)
}

/// The figures as a table, each beside its baseline.
pub(crate) fn table(figures: &Figures) -> String {
    let mut table = String::new();
    let header = ["figure", "value", "unit", "baseline", "ratio", "the baseline is"];
    let kinds = kinds();
    let rows = kinds.iter().filter_map(|kind| row(kind, figures));
    for [name, value, unit, baseline, ratio, about] in std::iter::once(header.map(str::to_owned)).chain(rows)
    {
        let line = format!("{name:<34} {value:>10} {unit:<9}  {baseline:>10} {ratio:>7}  {about}");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

fn row(kind: &Kind, figures: &Figures) -> Option<[String; 6]> {
    let value = figures.get(kind.name)?;
    let beside = kind
        .baseline
        .as_ref()
        .and_then(|baseline| Some((baseline.about, figures.beside(baseline)?)));
    let (baseline, ratio, about) = match beside {
        // Beside nothing there is no ratio.
        Some((about, 0.0)) => (shown(0.0), String::new(), about),
        Some((about, beside)) => (shown(beside), shown(value / beside), about),
        None => (String::new(), String::new(), ""),
    };
    Some([
        kind.name.to_owned(),
        shown(value),
        kind.unit.to_owned(),
        baseline,
        ratio,
        about.to_owned(),
    ])
}

/// Three digits or more, as many after the point as that takes.
fn shown(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.0 => "0".to_owned(),
        0.1.. => format!("{value:.2}"),
        _ => format!("{value:.5}"),
    }
}

/// Writes the report, and says where it lies.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(folder: &Path, machine: &str, figures: &Figures) -> Result<PathBuf, Failure> {
    let file = folder.join("report.json");
    let figures: serde_json::Map<_, _> = figures
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let report = json!({ "machine": machine, "commit": commit(), "figures": figures });
    fs::write(&file, format!("{report:#}\n"))?;
    Ok(file)
}

/// The machine in one line, with how busy it was before the run: what its figures can be compared with.
pub(crate) fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let model = field(&processors, "model name").unwrap_or(std::env::consts::ARCH);
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let gib = field(&memory, "MemTotal")
        .and_then(|total| total.trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kib| kib / (1024 * 1024));
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{count} x {model}, {gib} GiB, load before the run {load}")
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

/// The commit that was measured, "-dirty" if more than it was.
fn commit() -> String {
    let asked = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])
        .output();
    match asked {
        Ok(answer) if answer.status.success() => String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{DIRECT_CPU, FORWARDER_CPU};

    #[test]
    fn a_figure_stands_beside_its_baseline_and_only_if_it_was_had() {
        let mut figures = Figures::default();
        figures.add(vec![(FORWARDER_CPU, 5_000.0)]);
        assert!(!table(&figures).contains(" direct"), "{}", table(&figures));
        figures.add(vec![(DIRECT_CPU, 20_000.0)]);
        let table = table(&figures);
        let line = table.lines().last().expect("a line");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, [FORWARDER_CPU, "5000", "us", "20000", "0.25", "direct"]);
    }
}
