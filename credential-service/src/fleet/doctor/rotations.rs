//! What rotations wait for still: tokens that live on though nothing should run on them, and consumers.

use super::finding::{Finding, Kind};
use crate::{
    portals::Portal,
    rotation::{Checklist, Retired, Rotation, State},
};

/// What a portal's open rotations wait for, whatever became of each.
pub(super) fn findings(portal: &Portal, open: &[Rotation]) -> Vec<Finding> {
    let of_one = |rotation| {
        let found = [alive(portal, rotation), behind(rotation)].into_iter().flatten();
        found.collect::<Vec<_>>()
    };
    open.iter().flat_map(of_one).collect()
}

/// A token that was taken out of force and may live on, if nothing else has put it in force again.
fn alive(portal: &Portal, rotation: &Rotation) -> Option<Finding> {
    let Retired { fingerprint, .. } = rotation.alive()?;
    if portal.with_token(fingerprint).is_some() {
        return None;
    }
    let id = rotation.rotation_id;
    let what = match rotation.state() {
        State::OldTokenAlive | State::ConsumersBehind | State::Done => {
            format!("the old token, {fingerprint}, is not known to be refused: expire it in HubSpot")
        }
        State::NewTokenRefused => format!(
            "HubSpot refuses the token in force, and not, as far as is known, the old one, {fingerprint}: cancel \
             rotation {id}, or rotate to a token that lives"
        ),
        State::RollingBack | State::RolledBack => format!(
            "the token {fingerprint}, given up when rotation {id} was rolled back, is not known to be refused: cancel \
             the rotation in HubSpot, too, or delete the token there"
        ),
        State::Superseded | State::Closed => format!(
            "the token {fingerprint}, replaced by rotation {id}, is not known to be refused: expire it in HubSpot"
        ),
    };
    Some(Finding::new(Kind::OldTokenAlive, &what).about(&rotation.credential_name))
}

fn behind(rotation: &Rotation) -> Option<Finding> {
    let Checklist { behind, overdue, .. } = rotation.checklist;
    (rotation.checklist.open() > 0).then(|| {
        let what = format!(
            "consumers have not acknowledged the token in force: {behind} in time, {overdue} overdue; see rotation {}",
            rotation.rotation_id
        );
        Finding::new(Kind::ConsumersBehind, &what).about(&rotation.credential_name)
    })
}
