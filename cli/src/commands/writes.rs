//! `hubkeep writes`: what was written, and what became of it.

use clap::{Args, Subcommand, ValueEnum};
use hubkeep_proto::crm::v1::{
    ListWritesRequest, ListWritesResponse, SettleWriteRequest, Write, WriteState,
    write_service_client::WriteServiceClient,
};

use super::{crm::Expected, shown_handle::ShownHandle, time::day_and_time};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output, wire_json};

/// The most that the service gives at once.
const PAGE: i32 = 500;

/// Look at writes: those whose outcome is not known, and those that were asked for with a request id.
#[derive(Args, Debug)]
pub struct WritesArgs {
    #[command(subcommand)]
    command: WritesCommand,
}

#[derive(Subcommand, Debug)]
enum WritesCommand {
    /// List them, oldest first; without --state those whose outcome is not known.
    ///
    /// With a handle that allows reading the audit, of its own portal. An operator without a handle, of all portals.
    List(ListArgs),
    /// Say what became of a write that nobody can find by reading. For operators who have looked at HubSpot.
    ///
    /// It is on record who said it, and why. A write that was not done is sent again when its caller asks for it again.
    Settle(SettleArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// The portal's slug. Needed with a handle.
    slug: Option<String>,
    /// Only those in one of these states.
    #[arg(long, value_delimiter = ',', value_name = "STATE,…")]
    state: Vec<State>,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

#[derive(Args, Debug)]
struct SettleArgs {
    /// The portal's slug.
    slug: String,
    /// The call of the write, as the list has it.
    #[arg(long, value_name = "ID")]
    call: String,
    #[command(flatten)]
    said: Said,
    /// HubSpot's id of the record that was made or changed.
    #[arg(long, value_name = "ID", conflicts_with = "not_done")]
    record: Option<String>,
    /// Why that is known, in a line. It stands in the audit log: no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    expected: Expected,
}

/// What became of a write.
#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
struct Said {
    /// HubSpot carried it out.
    #[arg(long)]
    done: bool,
    /// HubSpot did not carry it out.
    #[arg(long)]
    not_done: bool,
}

/// How far a write has come.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// It is being made.
    UnderWay,
    /// HubSpot carried it out.
    Done,
    /// It was sent, and it is not known whether HubSpot carried it out.
    Unknown,
    /// It was sent, and HubSpot did not carry it out.
    NotDone,
}

impl From<State> for WriteState {
    fn from(state: State) -> Self {
        match state {
            State::UnderWay => Self::UnderWay,
            State::Done => Self::Done,
            State::Unknown => Self::Unknown,
            State::NotDone => Self::NotDone,
        }
    }
}

/// Runs `writes`.
///
/// # Errors
/// If the service refuses, or is not reached.
pub async fn run(args: WritesArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        WritesCommand::List(args) => list(args, service, output).await,
        WritesCommand::Settle(args) => settle(args, service, output).await,
    }
}

async fn settle(args: SettleArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    let state = match args.said {
        Said {
            done: true,
            not_done: false,
        } => WriteState::Done,
        _ => WriteState::NotDone,
    };
    let request = SettleWriteRequest {
        client_slug: args.slug,
        expected_portal_id: args.expected.stated(),
        call_id: args.call,
        state: state.into(),
        object_id: args.record.unwrap_or_default(),
        reason: args.reason,
    };
    let mut client = WriteServiceClient::new(service.connection());
    let answer = client.settle_write(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.crm.v1.SettleWriteResponse", &answer)?)?;
    } else {
        print(&answer.write.into_iter().collect::<Vec<_>>(), output)?;
    }
    Ok(Exit::Done)
}

async fn list(args: ListArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    let service = match args.shown.get()? {
        Some(_) if args.slug.is_none() => {
            let missing = "with a handle (--handle, or the environment variable HUBKEEP_HANDLE) name its portal: \
                           hubkeep writes list <SLUG>";
            return Err(Error::Usage(missing.to_owned()));
        }
        Some(handle) => service.with_handle(&handle)?,
        None => service,
    };
    let mut request = ListWritesRequest {
        client_slug: args.slug.unwrap_or_default(),
        expected_portal_id: args.expected.stated(),
        states: args
            .state
            .into_iter()
            .map(|state| WriteState::from(state).into())
            .collect(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut client = WriteServiceClient::new(service.connection());
    let mut all = ListWritesResponse::default();
    loop {
        let answer = client.list_writes(request.clone()).await;
        let page = answer.map_err(|status| service.ended(status))?.into_inner();
        all.writes.extend(page.writes);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.crm.v1.ListWritesResponse", &all)?)?;
    } else {
        print(&all.writes, output)?;
    }
    Ok(Exit::Done)
}

fn print(writes: &[Write], output: &Output) -> Result<(), Error> {
    let header = [
        "portal",
        "began",
        "operation",
        "type",
        "record",
        "state",
        "by",
        "caller",
        "call",
        "request id",
    ];
    let rows = writes.iter().map(|write| {
        vec![
            write.client_slug.clone(),
            day_and_time(write.begin_time.as_ref()),
            write.operation.to_lowercase().replace('_', "-"),
            write.object_type.clone(),
            write.object_ref.clone(),
            state(write.state()).to_owned(),
            write.settled_by.clone(),
            write.caller.clone(),
            write.call_id.clone(),
            match write.part {
                0 => write.request_id.clone(),
                part => format!("{} part {part}", write.request_id),
            },
        ]
    });
    output.table(&header, rows.collect(), "no such writes")
}

const fn state(state: WriteState) -> &'static str {
    match state {
        WriteState::Unspecified => "–",
        WriteState::UnderWay => "under way",
        WriteState::Done => "done",
        WriteState::Unknown => "unknown",
        WriteState::NotDone => "not done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_which_call_it_was_and_what_became_of_it() {
        let (output, answers, _) = Output::on_paper(false);
        let write = Write {
            client_slug: "acme".to_owned(),
            operation: "OBJECT_CREATE".to_owned(),
            object_type: "companies".to_owned(),
            state: WriteState::Unknown.into(),
            call_id: "01890a5d".to_owned(),
            request_id: "order-17".to_owned(),
            part: 2,
            ..Write::default()
        };
        print(&[write], &output).expect("written");
        let text = answers.text();
        for part in [
            "acme",
            "object-create",
            "companies",
            "unknown",
            "01890a5d",
            "order-17 part 2",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
