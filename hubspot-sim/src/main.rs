//! `hubspot-sim`: the simulator as a program.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use hubspot_sim::{Identity, Limits, Simulator, World};
use tokio::signal::unix::{SignalKind, signal};

/// A little HubSpot on loopback that keeps a journal of what it received.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen: a loopback address, or any with a certificate.
    #[arg(long, default_value = "127.0.0.1:4030")]
    listen: SocketAddr,
    /// What exists at the start: `demo`, `portals:<n>`, or a JSON file.
    #[arg(long, default_value = "demo")]
    world: String,
    /// No rate limit ever refuses anything.
    #[arg(long)]
    unlimited: bool,
    /// Serve over TLS with this certificate and its chain (PEM).
    #[arg(long, value_name = "FILE", requires = "key_file")]
    certificate_file: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    key_file: Option<PathBuf>,
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
    let simulator = match (&options.certificate_file, &options.key_file) {
        (Some(certificate), Some(key)) => {
            let identity = Identity::from_pem(&std::fs::read(certificate)?, &std::fs::read(key)?)?;
            Simulator::start_tls(world, options.listen, &identity)?
        }
        _ => Simulator::start_on(world, options.listen)?,
    };
    writeln!(
        out,
        "listening on {} (control under /_sim/)",
        simulator.base_url()
    )?;
    asked_to_stop().await?;
    simulator.stop().await;
    Ok(())
}

/// Ends with ctrl-c, or with SIGTERM, as a container is stopped.
async fn asked_to_stop() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

fn world(name: &str) -> io::Result<World> {
    match name.strip_prefix("portals:") {
        Some(n) => Ok(World::of_portals(n.parse().map_err(io::Error::other)?)),
        None if name == "demo" => Ok(World::demo()),
        None => serde_json::from_slice(&std::fs::read(name)?).map_err(io::Error::other),
    }
}
