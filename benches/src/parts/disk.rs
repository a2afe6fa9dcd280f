//! What the disk does: the least that anything durable costs here.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use hubkeep_core::clock::SharedClock;

use super::{Measured, Place};
use crate::{
    figures::{FDATASYNC, median},
    load::as_ms,
};

const LENGTH: Duration = Duration::from_secs(2);
const PAGE: [u8; 4096] = [7; 4096];

pub(super) async fn measure(place: &Place) -> Measured {
    let folder = place.temporary()?;
    let (clock, file) = (place.clock.clone(), folder.path().join("appended"));
    let appended = tokio::task::spawn_blocking(move || append(&clock, &file)).await??;
    Ok(vec![(FDATASYNC, median(appended))])
}

/// Appends for a while; the milliseconds that each page took.
fn append(clock: &SharedClock, file: &Path) -> io::Result<Vec<f64>> {
    let mut file = File::create(file)?;
    let mut took = Vec::new();
    let until = clock.tick().plus(LENGTH);
    while clock.tick() < until {
        let began = clock.tick();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        took.push(as_ms(clock.tick().since(began)));
    }
    Ok(took)
}
