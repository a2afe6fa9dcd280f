//! `hubkeep handle revoke`: ends a handle, or all of somebody's, and says how far that has come.

use clap::Args;
use hubkeep_proto::credential::v1::{
    HandleHolder, RevocationReach, RevokeHandleRequest, RevokeHandlesRequest,
    containment_service_client::ContainmentServiceClient, handle_holder::Holder,
    handle_service_client::HandleServiceClient, revoke_handle_request::Target,
};

use super::{bulk::counted, shown_handle::ShownHandle};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, HALT, Output},
    wire_json,
};

/// End a handle at once and everywhere, or every living handle of somebody.
#[derive(Args, Debug)]
pub(super) struct RevokeArgs {
    /// The handle, or '-' to read it from standard input.
    #[arg(value_name = "HANDLE|-", group = "which")]
    text: Option<String>,
    /// The handle's public id instead, as audit entries show it.
    #[arg(long, value_name = "ID", group = "which")]
    id: Option<String>,
    /// Every living handle of this portal. New ones may be taken at once.
    #[arg(long, value_name = "SLUG", group = "which")]
    of_portal: Option<String>,
    /// Every living handle of this caller.
    #[arg(long, value_name = "NAME", group = "which")]
    of_caller: Option<String>,
    /// Every living handle of every caller that is this person.
    #[arg(long, value_name = "ID", group = "which")]
    of_person: Option<String>,
    /// The handle with its whole family: what it was narrowed from, and what was narrowed from that.
    #[arg(long, conflicts_with_all = ["of_portal", "of_caller", "of_person"])]
    family: bool,
    /// Wait until every crm-service has stopped, this long at most (10s).
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "10s")]
    wait: Option<humantime::Duration>,
    #[command(flatten)]
    shown: ShownHandle,
}

/// Runs `handle revoke`.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn run(args: RevokeArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let wait = wait(args.wait)?;
    let holder = (args.of_portal.map(Holder::ClientSlug))
        .or(args.of_caller.map(Holder::Caller))
        .or(args.of_person.map(Holder::PersonId));
    if let Some(holder) = holder {
        return all_of(holder, wait, service, output).await;
    }
    // The id comes first: HUBKEEP_HANDLE may be set for other commands.
    let target = match args.id {
        Some(id) => Target::HandleId(id),
        None => Target::Handle(ShownHandle::or(args.text, args.shown).required()?.to_string()),
    };
    let request = RevokeHandleRequest {
        target: Some(target),
        family: args.family,
        wait,
    };
    let mut client = HandleServiceClient::new(service.connection());
    let answer = client.revoke_handle(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of(
            "hubkeep.credential.v1.RevokeHandleResponse",
            &answer,
        )?)?;
        return Ok(exit(answer.reach.as_ref()));
    }
    revoked(answer.revocation_seq, output)?;
    tell(answer.reach.as_ref(), output)
}

async fn all_of(
    holder: Holder,
    wait: Option<prost_types::Duration>,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let request = RevokeHandlesRequest {
        target: Some(HandleHolder { holder: Some(holder) }),
        wait,
    };
    let mut client = ContainmentServiceClient::new(service.connection());
    let answer = client.revoke_handles(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of(
            "hubkeep.credential.v1.RevokeHandlesResponse",
            &answer,
        )?)?;
        return Ok(exit(answer.reach.as_ref()));
    }
    revoked(answer.revocation_seq, output)?;
    tell(answer.reach.as_ref(), output)
}

/// How long to wait, as it is sent.
pub(super) fn wait(stated: Option<humantime::Duration>) -> Result<Option<prost_types::Duration>, Error> {
    stated
        .map(|wait| prost_types::Duration::try_from(*wait))
        .transpose()
        .map_err(|_| Error::Usage("--wait is out of range".to_owned()))
}

fn revoked(seq: u64, output: &Output) -> Result<(), Error> {
    output.line(&format!("{GOOD}revoked{GOOD:#} (revocation {seq})"))
}

/// Says how far something has come, where that was waited for.
pub(super) fn tell(reach: Option<&RevocationReach>, output: &Output) -> Result<Exit, Error> {
    if let Some(reach) = reach {
        output.line(&in_words(reach))?;
    }
    Ok(exit(reach))
}

/// What a script is told: whether all have stopped.
pub(super) fn exit(reach: Option<&RevocationReach>) -> Exit {
    match reach {
        Some(reach) if reach.waiting > 0 => Exit::NotEverywhere,
        _ => Exit::Done,
    }
}

fn in_words(reach: &RevocationReach) -> String {
    let RevocationReach {
        acknowledged,
        lapsed,
        waiting,
    } = reach;
    let replicas = |count: &u32| counted(usize::try_from(*count).unwrap_or(usize::MAX), "replica");
    if acknowledged + lapsed + waiting == 0 {
        return format!("{GOOD}nothing runs that could still use it{GOOD:#}: no crm-service is connected");
    }
    let mut told = Vec::new();
    if *acknowledged > 0 {
        told.push(format!(
            "{} of crm-service stopped and said so",
            replicas(acknowledged)
        ));
    }
    if *lapsed > 0 {
        told.push(format!(
            "{} of it not heard any more, which serve nothing",
            replicas(lapsed)
        ));
    }
    if *waiting > 0 {
        told.push(format!(
            "{HALT}{} not heard yet{HALT:#}: they stop within 5 s; the same command again waits again",
            replicas(waiting)
        ));
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_stopped_is_told_and_shown_to_scripts() {
        let reach = |acknowledged, lapsed, waiting| RevocationReach {
            acknowledged,
            lapsed,
            waiting,
        };
        for (reach, expected, word) in [
            (reach(0, 0, 0), Exit::Done, "no crm-service"),
            (reach(3, 0, 0), Exit::Done, "3 replicas of crm-service stopped"),
            (reach(2, 1, 0), Exit::Done, "1 replica of it not heard any more"),
            (reach(2, 0, 1), Exit::NotEverywhere, "1 replica"),
        ] {
            assert_eq!(exit(Some(&reach)), expected);
            assert!(in_words(&reach).contains(word), "{}", in_words(&reach));
        }
        assert_eq!(exit(None), Exit::Done, "nobody waited");
    }
}
