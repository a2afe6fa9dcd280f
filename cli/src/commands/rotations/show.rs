//! Rotations as people read them.

use hubkeep_proto::credential::v1::{
    GetRotationResponse, Rotation, RotationState, RotationTask, TaskState, TokenStanding,
};

use crate::{
    commands::time::day_and_time,
    errors::Error,
    output::{GOOD, Output, STRONG, printable},
};

/// What a narrow terminal does not show of a list, the first first: a portal's slug names its rotation as well, and
/// `rotations show` has it all.
const MAY_GO: [&str; 5] = ["rotation", "switched", "done", "old token", "credential"];

/// The checklist: a rotation a row.
pub(super) fn table(rotations: &[Rotation], all: bool, output: &Output) -> Result<(), Error> {
    // Where they stand in a list of all, why they ended stands beside them.
    let mut header = vec![
        "client",
        "credential",
        "state",
        "switched",
        "retired token",
        "done",
        "behind",
        "overdue",
        "rotation",
    ];
    header.extend(all.then_some("why it ended"));
    let row = |rotation: &Rotation| {
        let mut cells = vec![
            rotation.client_slug.clone(),
            rotation.credential_name.clone(),
            state(rotation.state()).to_owned(),
            day_and_time(rotation.switch_time.as_ref()),
            token(rotation.retired_token()).to_owned(),
            rotation.consumers_done.to_string(),
            rotation.consumers_behind.to_string(),
            rotation.consumers_overdue.to_string(),
            rotation.rotation_id.clone(),
        ];
        cells.extend(all.then(|| rotation.end_reason.clone()));
        cells
    };
    let none = if all {
        "no rotations yet"
    } else {
        "every rotation is over"
    };
    output.table_without(&MAY_GO, &header, rotations.iter().map(row).collect(), none)
}

/// One rotation, and the tasks of its consumers.
pub(super) fn whole(answer: &GetRotationResponse, output: &Output) -> Result<(), Error> {
    let rotation = answer.rotation.clone().unwrap_or_default();
    for (name, value) in facts(&rotation) {
        if !value.is_empty() {
            output.line(&format!("{name:<20} {STRONG}{}{STRONG:#}", printable(&value)))?;
        }
    }
    let header = [
        "consumer",
        "state",
        "due",
        "told",
        "acknowledged",
        "failed",
        "last failure",
        "ended",
    ];
    output.table(&header, answer.tasks.iter().map(task).collect(), "no consumers")
}

/// What was done to a rotation, in a line.
pub(super) fn verdict(done: &str, rotation: &Rotation, output: &Output) -> Result<(), Error> {
    let open = rotation.consumers_behind + rotation.consumers_overdue;
    output.line(&format!(
        "{GOOD}{done}{GOOD:#}: {} {} is on version {}; consumers behind: {open}, dropped: {}",
        rotation.client_slug, rotation.credential_name, rotation.credential_version, rotation.consumers_ended
    ))
}

fn facts(rotation: &Rotation) -> Vec<(&'static str, String)> {
    let ended = if rotation.end_time.is_some() {
        day_and_time(rotation.end_time.as_ref())
    } else {
        String::new()
    };
    vec![
        ("rotation_id", rotation.rotation_id.clone()),
        ("client_slug", rotation.client_slug.clone()),
        ("portal_id", rotation.portal_id.to_string()),
        ("credential_name", rotation.credential_name.clone()),
        ("state", state(rotation.state()).to_owned()),
        ("credential_version", rotation.credential_version.to_string()),
        ("store_version", rotation.store_version.to_string()),
        ("retired_fingerprint", rotation.retired_fingerprint.clone()),
        ("retired_token", token(rotation.retired_token()).to_owned()),
        ("old_fingerprint", rotation.old_fingerprint.clone()),
        ("old_token", token(rotation.old_token()).to_owned()),
        ("new_fingerprint", rotation.new_fingerprint.clone()),
        ("new_token", token(rotation.new_token()).to_owned()),
        ("probe_time", day_and_time(rotation.probe_time.as_ref())),
        ("lost_scopes", rotation.lost_scopes.join(", ")),
        ("rotated_by", rotation.rotated_by.clone()),
        ("switch_time", day_and_time(rotation.switch_time.as_ref())),
        ("end_time", ended),
        ("ended_by", rotation.ended_by.clone()),
        ("end_reason", rotation.end_reason.clone()),
    ]
}

fn task(task: &RotationTask) -> Vec<String> {
    vec![
        task.consumer_name.clone(),
        match task.state() {
            TaskState::Unspecified => "–",
            TaskState::Behind => "behind",
            TaskState::Overdue => "OVERDUE",
            TaskState::Done => "done",
            TaskState::Superseded => "superseded",
            TaskState::Dropped => "dropped",
        }
        .to_owned(),
        day_and_time(task.due_time.as_ref()),
        day_and_time(task.told_time.as_ref()),
        day_and_time(task.acknowledge_time.as_ref()),
        task.failed_deliveries.to_string(),
        task.last_failure.clone(),
        match task.state() {
            TaskState::Dropped => format!("by {}: {}", task.ended_by, task.end_reason),
            _ => task.end_reason.clone(),
        },
    ]
}

const fn state(state: RotationState) -> &'static str {
    match state {
        RotationState::Unspecified => "–",
        RotationState::NewTokenRefused => "NEW TOKEN REFUSED",
        RotationState::OldTokenAlive => "old token alive",
        RotationState::ConsumersBehind => "consumers behind",
        RotationState::Done => "done",
        RotationState::RollingBack => "rolling back",
        RotationState::RolledBack => "rolled back",
        RotationState::Superseded => "superseded",
        RotationState::Closed => "closed",
    }
}

const fn token(standing: TokenStanding) -> &'static str {
    match standing {
        TokenStanding::Unspecified => "not known",
        TokenStanding::Accepted => "alive",
        TokenStanding::Refused => "refused",
        TokenStanding::RefusedOnce => "refused once",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a8b0-0000-7000-8000-000000000000";

    fn rotation(state: RotationState) -> Rotation {
        Rotation {
            rotation_id: ID.to_owned(),
            client_slug: "acme-corporation".to_owned(),
            credential_name: "default".to_owned(),
            state: state.into(),
            end_reason: "billing was shut down for good".to_owned(),
            ..Rotation::default()
        }
    }

    #[test]
    fn eighty_columns_show_the_checklist_and_break_no_id() {
        let (output, answers, notes) = Output::on_paper(false);
        let rotations = [rotation(RotationState::ConsumersBehind)];
        table(&rotations, false, &output.on_terminal(80)).expect("written");
        let text = answers.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(
            text.contains("acme-corporation") && text.contains("consumers behind"),
            "{text}"
        );
        assert!(!text.contains("0190"), "{text}");
        assert!(notes.text().contains("rotation"), "{}", notes.text());
        let (output, answers, _) = Output::on_paper(false);
        table(&rotations, false, &output).expect("written");
        assert!(answers.text().contains(ID), "a pipe has it whole");
    }

    #[test]
    fn a_list_of_all_says_why_each_ended() {
        let (output, answers, _) = Output::on_paper(false);
        table(&[rotation(RotationState::Closed)], true, &output).expect("written");
        assert!(answers.text().contains("billing was shut down for good"));
    }
}
