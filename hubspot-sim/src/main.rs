//! `hubspot-sim`: the simulator as a program.

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Parser;
use hubspot_sim::{Limits, Simulator, World};

/// A little HubSpot on loopback that keeps a journal of what it received.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; loopback addresses only.
    #[arg(long, default_value = "127.0.0.1:4030")]
    listen: SocketAddr,
    /// What exists at the start: `demo`, `portals:<n>`, or a JSON file.
    #[arg(long, default_value = "demo")]
    world: String,
    /// No rate limit ever refuses anything.
    #[arg(long)]
    unlimited: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut world = world(&options.world)?;
    if options.unlimited {
        world = world.limits(&Limits::unlimited());
    }
    let mut out = io::stdout();
    for portal in &world.portals {
        let token = portal.first_token().unwrap_or("no token");
        writeln!(out, "{:<16} {:>10}  {token}", portal.slug, portal.portal_id)?;
    }
    let simulator = Simulator::start_on(world, options.listen)?;
    writeln!(
        out,
        "listening on {} (control under /_sim/)",
        simulator.base_url()
    )?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}

fn world(name: &str) -> io::Result<World> {
    match name.strip_prefix("portals:") {
        Some(n) => Ok(World::of_portals(n.parse().map_err(io::Error::other)?)),
        None if name == "demo" => Ok(World::demo()),
        None => serde_json::from_slice(&std::fs::read(name)?).map_err(io::Error::other),
    }
}
