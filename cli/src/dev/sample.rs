//! The clients of the simulated HubSpot as a CSV file, to import.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use hubspot_sim::World;

use crate::errors::Error;

/// Writes the file, readable for its owner only: it holds tokens, if only of a simulator.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(world: &World, path: &Path) -> Result<(), Error> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(text(world).as_bytes())?)
}

fn text(world: &World) -> String {
    let row = |portal: &hubspot_sim::PortalSpec| {
        let token = portal.first_token().unwrap_or_default();
        format!("{},{token},{}\n", portal.slug, portal.portal_id)
    };
    let rows: String = world.portals.iter().map(row).collect();
    format!("clientSlug,portalToken,portalId\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_of_the_world_has_its_row() {
        let text = text(&World::demo());
        assert_eq!(text.lines().count(), 6);
        assert!(
            text.contains("\nacme,pat-na1-") && text.contains(",4100001\n"),
            "{text}"
        );
    }
}
