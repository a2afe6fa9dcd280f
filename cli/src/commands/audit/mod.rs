//! `hubkeep audit`: what was done, for whom, by whom, and how it ended.

mod export;
mod exporting;
mod file;
mod folder;
pub(crate) mod follow;
pub(crate) mod line;
mod past;
mod payload;
mod retention;
mod verify;
mod which;

use clap::{Args, Subcommand, ValueEnum};
use futures::future;
use hubkeep_core::clock::SharedClock;
use hubkeep_proto::audit::v1::Event;
use tokio::sync::mpsc;

use self::{follow::Beginning, past::Part, which::Which};
use super::shown_handle::ShownHandle;
use crate::{channel::Service, errors::Error, exit::Exit, output::Output, wire_json};

/// Events that wait to be printed, at most.
const WAITING: usize = 256;

/// Read the audit logs, live or past.
///
/// An operator reads everything. With a handle that allows read-audit, its portal's entries are read. Each service
/// has its own log and its own positions.
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand, Debug)]
enum AuditCommand {
    /// Follow the logs: first the past, then what comes. Goes on where it was when a connection breaks.
    Tail {
        #[command(flatten)]
        which: WhichArgs,
        /// Leave the past out.
        #[arg(long, conflicts_with = "after")]
        from_now: bool,
    },
    /// Give what is there now, oldest first, and end. Each log in the order of its positions; of two logs, what is older
    /// by the clock comes first.
    List {
        #[command(flatten)]
        which: WhichArgs,
        /// At most this many of each service: the oldest. A remark says so where there are more.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
        /// The newest of each service, this many.
        #[arg(long, value_name = "N", conflicts_with = "limit")]
        last: Option<usize>,
    },
    /// Write a portal's whole logs into a folder, with checkpoints and proofs: evidence that anybody can verify offline. Or
    /// write entries into a file that other programs read.
    Export(export::ExportArgs),
    /// Verify such a folder, offline: 0 if it is what was signed, 9 and the reason if it is not.
    Verify(verify::VerifyArgs),
    /// Open what lies sealed beside an entry: personal data, such as ids of records and what was written. Who opened it and why
    /// is in the portal's log before anything is shown. For operators with the role auditor.
    Open(payload::OpenArgs),
    /// Have what lies sealed beside entries erased for good: of one entry, or of all about a record. Entries and proofs stay.
    /// Who asked for it and why is in the portal's log. For operators with the role fleet.
    Erase(payload::EraseArgs),
    /// Say how far back the logs reach, and when the next entries go.
    Retention(retention::RetentionArgs),
    /// Let nothing of a portal's logs be pruned, nor of what lies sealed beside them, until it is released: evidence that somebody
    /// will ask for.
    Hold(retention::HoldArgs),
    /// End such a hold.
    Release(retention::HoldArgs),
}

impl AuditArgs {
    /// Whether it speaks to no service.
    pub const fn is_offline(&self) -> bool {
        matches!(self.command, AuditCommand::Verify(_))
    }
}

/// Runs what of `audit` speaks to no service.
///
/// # Errors
/// If it is none of that, or a file cannot be read.
pub fn run_offline(args: AuditArgs, output: &Output) -> Result<Exit, Error> {
    match args.command {
        AuditCommand::Verify(args) => verify::run(&args, output),
        _ => Err(Error::Usage("this needs a service".to_owned())),
    }
}

#[derive(Args, Debug)]
struct WhichArgs {
    /// Whose log.
    #[arg(long, value_enum, default_value = "both", value_name = "SERVICE")]
    from: From,
    /// Only events after this position; needs --from with one service.
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    shown: ShownHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    CredentialService,
    CrmService,
    Both,
}

impl From {
    fn of(self, credential: &Service, crm: &Service) -> Vec<Service> {
        match self {
            Self::CredentialService => vec![credential.clone()],
            Self::CrmService => vec![crm.clone()],
            Self::Both => vec![credential.clone(), crm.clone()],
        }
    }
}

/// Runs `audit`.
///
/// # Errors
/// If a service refuses, or is not reached at the start.
pub async fn run(
    args: AuditArgs,
    credential: &Service,
    crm: &Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    match args.command {
        AuditCommand::Tail { which, from_now } => {
            let beginning = match (from_now, which.after) {
                (true, _) => Beginning::Now,
                (false, after) => Beginning::After(after.unwrap_or(0)),
            };
            let services = services(&which, credential, crm)?;
            tail(services, &beginning, which, clock, output).await?;
        }
        AuditCommand::List { which, limit, last } => {
            let services = services(&which, credential, crm)?;
            let part = last.map_or(Part::First(limit), Part::Last);
            list(services, part, which, output).await?;
        }
        AuditCommand::Export(args) => {
            let services = args.from.of(credential, crm);
            return export::run(args, services, output).await;
        }
        AuditCommand::Verify(args) => return verify::run(&args, output),
        AuditCommand::Open(args) => return payload::open(args, crm, output).await,
        AuditCommand::Erase(args) => return payload::erase(args, crm, output).await,
        AuditCommand::Retention(args) => {
            let services = args.from.of(credential, crm);
            return retention::show(args, &services, output).await;
        }
        AuditCommand::Hold(args) => {
            let services = args.from.of(credential, crm);
            return retention::hold(args, &services, output).await;
        }
        AuditCommand::Release(args) => {
            let services = args.from.of(credential, crm);
            return retention::release(args, &services, output).await;
        }
    }
    Ok(Exit::Done)
}

/// The services asked for, with the handle if one is shown.
fn services(args: &WhichArgs, credential: &Service, crm: &Service) -> Result<Vec<Service>, Error> {
    if args.after.is_some() && args.from == From::Both {
        let why = "--after needs --from: each service has its own positions";
        return Err(Error::Usage(why.to_owned()));
    }
    let asked = args.from.of(credential, crm);
    let handle = args.shown.clone().get()?;
    asked
        .into_iter()
        .map(|service| match &handle {
            Some(handle) => service.with_handle(handle),
            None => Ok(service),
        })
        .collect()
}

async fn tail(
    services: Vec<Service>,
    beginning: &Beginning,
    args: WhichArgs,
    clock: SharedClock,
    output: &Output,
) -> Result<(), Error> {
    let filter = args.which.into_filter();
    let (events, mut arriving) = mpsc::channel(WAITING);
    let followers = services.into_iter().map(|service| {
        let (filter, clock) = (filter.clone(), clock.clone());
        follow::events(
            service,
            filter,
            beginning.clone(),
            clock,
            events.clone(),
            output.clone(),
        )
    });
    let following = future::try_join_all(followers);
    let printing = async {
        while let Some(event) = arriving.recv().await {
            print(&event, output)?;
        }
        Ok::<(), Error>(())
    };
    tokio::select! {
        ended = following => ended.map(|_| ()),
        ended = printing => ended,
    }
}

async fn list(services: Vec<Service>, part: Part, args: WhichArgs, output: &Output) -> Result<(), Error> {
    let after = args.after.unwrap_or(0);
    let filter = args.which.into_filter();
    let reading = services
        .iter()
        .map(|service| past::events(service, filter.clone(), after, part));
    let found = future::try_join_all(reading).await?;
    let longer: Vec<&str> = services
        .iter()
        .zip(&found)
        .filter(|(_, past)| past.more)
        .map(|(service, _)| service.name())
        .collect();
    for beginning in found.iter().flat_map(|past| &past.beginnings) {
        output.note(&retention::begins(beginning))?;
    }
    let found = past::merged(found.into_iter().map(|past| past.events));
    for event in &found {
        print(event, output)?;
    }
    // Also beside JSON: it is on standard error, and who takes the oldest for all is misled.
    if let (false, Part::First(limit)) = (longer.is_empty(), part) {
        output.note(&format!(
            "these are the oldest {limit} of {}, which has more: --last N gives the newest, --after POSITION goes on, \
             --limit N gives more at once",
            longer.join(" and of ")
        ))?;
    }
    if found.is_empty() && !output.is_json() {
        output.note("no events")?;
    }
    Ok(())
}

fn print(event: &Event, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        return output.json_line(&wire_json::of("hubkeep.audit.v1.Event", event)?);
    }
    output.line(&line::of(event))
}
