//! What Hubkeep costs: the same calls straight to HubSpot, through a bare forwarder and through Hubkeep, and the parts
//! that make up the difference. Everything runs in this process and talks over loopback.
//!
//! `hubkeep-benches [WORD [ENTRIES]]` runs the parts in whose name, or in the name of one of whose figures, the word stands;
//! the largest log that is made has so many entries, 10,000,000 unless said otherwise.
//!
//! | module | holds |
//! |---|---|
//! | [`parts`] | what is measured, one file a part |
//! | [`figures`] | the figures' names, units and baselines |
//! | [`process`] | what the system knows of a process |
//! | [`stage`] | the simulator and both services, running |
//! | [`servants`] | the services as programs of their own |
//! | [`load`] | callers in a closed loop, and what they saw |
//! | [`report`] | the table, and `target/bench/report.json` |

mod figures;
mod load;
mod parts;
mod process;
mod report;
mod servants;
mod settings;
mod stage;

use std::{io::Write, process::ExitCode};

use hubkeep_core::{clock::SystemClock, random::SystemRandom, telemetry};

use crate::{
    figures::Figures,
    parts::{PARTS, Place, query},
};

/// Why nothing could be measured.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As in the services, and so for the ways beside them too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // As the services' own binaries do: what is logged is part of the cost.
    telemetry::start(&telemetry::Config::default());
    let word = std::env::args().nth(1).unwrap_or_default();
    let entries = std::env::args().nth(2).map(|entries| entries.parse());
    let mut out = std::io::stdout();
    let done = match entries.transpose() {
        Ok(entries) => bench(&word, entries.unwrap_or(query::ENTRIES), &mut out).await,
        Err(_) => Err("the second word is a number of entries".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell somebody whose terminal is gone.
            let _ = writeln!(out, "no figures: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(word: &str, entries: u64, out: &mut impl Write) -> Result<(), Failure> {
    let place = Place {
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        folder: report::folder()?,
        entries,
    };
    let machine = report::machine();
    let mut figures = Figures::default();
    for part in PARTS.iter().filter(|part| part.is_meant_by(word)) {
        writeln!(out, "{}: {}", part.name, part.about)?;
        let began = place.clock.tick();
        figures.add((part.run)(&place).await?);
        let took = place.clock.tick().since(began);
        writeln!(out, "  took {:.1} s", took.as_secs_f64())?;
    }
    if figures.is_empty() {
        return Err(format!("no part is called {word:?}; there are {}", parts::names()).into());
    }
    write!(out, "\n{}", report::table(&figures))?;
    let file = report::write(&place.folder, &machine, &figures)?;
    writeln!(out, "\n{machine}\n{}", file.display())?;
    Ok(())
}
