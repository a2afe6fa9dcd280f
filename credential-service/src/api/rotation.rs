//! A rotation, from messages into the words of its room and back.

use hubkeep_core::{
    clock::Timestamp,
    id::CredentialName,
    secret::{PortalToken, TokenFingerprint},
};
use hubkeep_proto::credential::v1::{self as wire, ImportRotationsRequest, RotateCredentialRequest};

use super::{Error, fields};
use crate::rotation::{Notice, Rotation, Standing, State, Task, TaskEnding, Token, Wish};

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Takes the token out of the request first: it is wiped from memory whatever else is wrong.
pub(super) fn wish(request: RotateCredentialRequest) -> Result<Wish, Error> {
    let token = PortalToken::new(request.portal_token);
    Ok(Wish {
        client_slug: fields::name("client_slug", &request.client_slug)?,
        credential_name: credential_name(&request.credential_name)?,
        token,
        allow_narrower_scopes: request.allow_narrower_scopes,
    })
}

/// A row of an import as the rotation that it asks for.
pub(super) fn wish_of_row(row: ImportRotationsRequest) -> Result<Wish, Error> {
    wish(RotateCredentialRequest {
        client_slug: row.client_slug,
        credential_name: row.credential_name,
        portal_token: row.portal_token,
        allow_narrower_scopes: row.allow_narrower_scopes,
    })
}

fn credential_name(text: &str) -> Result<CredentialName, Error> {
    if text.is_empty() {
        return Ok(CredentialName::default());
    }
    fields::name("credential_name", text)
}

/// Why an operator ends something.
pub(super) fn reason(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    let fits = (1..=MAX_REASON).contains(&text.chars().count()) && !text.contains(char::is_control);
    if fits {
        Ok(text)
    } else {
        Err(Error::field("reason", "must be 1 to 500 characters in one line"))
    }
}

/// A fingerprint that a consumer states.
pub(super) fn fingerprint(text: &str) -> Result<TokenFingerprint, Error> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 16 && text.bytes().all(hex) {
        return Ok(TokenFingerprint::from_stored(text.to_owned()));
    }
    let rule =
        "must be the first 16 hexadecimal digits, in lower case, of the token's SHA-256: never the token";
    Err(Error::field("token_fingerprint", rule))
}

pub(super) fn to_wire(rotation: &Rotation) -> wire::Rotation {
    let (end, retired) = (rotation.end.as_ref(), rotation.retired());
    wire::Rotation {
        rotation_id: rotation.rotation_id.to_string(),
        client_slug: rotation.client_slug.to_string(),
        portal_id: rotation.portal_id.get(),
        credential_name: rotation.credential_name.to_string(),
        state: state(rotation.state()).into(),
        old_version: rotation.old_version,
        credential_version: rotation.credential_version,
        old_fingerprint: rotation.old_fingerprint.to_string(),
        new_fingerprint: rotation.new_fingerprint.to_string(),
        store_version: rotation.store_version,
        rotated_by: rotation.rotated_by.to_string(),
        switch_time: Some(rotation.switch_time.into()),
        old_token: token(rotation.old_token).into(),
        new_token: token(rotation.new_token).into(),
        probe_time: rotation.probe_time.map(Into::into),
        lost_scopes: rotation.lost_scopes.clone(),
        consumers_done: rotation.checklist.done,
        consumers_behind: rotation.checklist.behind,
        consumers_overdue: rotation.checklist.overdue,
        end_reason: end.map(|end| end.reason.clone()).unwrap_or_default(),
        ended_by: end.map(|end| end.by.clone()).unwrap_or_default(),
        end_time: end.map(|end| end.time.into()),
        consumers_ended: rotation.checklist.ended,
        retired_fingerprint: retired.fingerprint.to_string(),
        retired_token: token(retired.token).into(),
    }
}

pub(super) fn task_to_wire(task: &Task, now: Timestamp) -> wire::RotationTask {
    let end = task.ended.as_ref().map(|(_, end)| end);
    let state = match (&task.acknowledged, &task.ended) {
        (Some(_), _) => wire::TaskState::Done,
        (None, Some((TaskEnding::Superseded, _))) => wire::TaskState::Superseded,
        (None, Some((TaskEnding::Dropped, _))) => wire::TaskState::Dropped,
        (None, None) if task.due_time <= now => wire::TaskState::Overdue,
        (None, None) => wire::TaskState::Behind,
    };
    wire::RotationTask {
        rotation_id: task.rotation_id.to_string(),
        consumer_name: task.consumer.to_string(),
        state: state.into(),
        due_time: Some(task.due_time.into()),
        told_time: task.told_time.map(Into::into),
        failed_deliveries: task.failed_deliveries,
        last_failure: task.last_failure.clone(),
        acknowledge_time: task.acknowledged.map(|(time, _)| time.into()),
        acknowledged_store_version: task.acknowledged.map_or(0, |(_, version)| version),
        end_reason: end.map(|end| end.reason.clone()).unwrap_or_default(),
        ended_by: end.map(|end| end.by.clone()).unwrap_or_default(),
        end_time: end.map(|end| end.time.into()),
    }
}

pub(super) fn notice_to_wire(notice: &Notice) -> wire::RotationNotice {
    let Notice { rotation, task } = notice;
    wire::RotationNotice {
        rotation_id: rotation.rotation_id.to_string(),
        client_slug: rotation.client_slug.to_string(),
        portal_id: rotation.portal_id.get(),
        credential_name: rotation.credential_name.to_string(),
        credential_version: rotation.credential_version,
        token_fingerprint: rotation.fingerprint_in_force().to_string(),
        store_version: rotation.store_version,
        due_time: Some(task.due_time.into()),
        rolled_back: rotation.standing == Standing::RolledBack,
    }
}

const fn state(state: State) -> wire::RotationState {
    match state {
        State::NewTokenRefused => wire::RotationState::NewTokenRefused,
        State::OldTokenAlive => wire::RotationState::OldTokenAlive,
        State::ConsumersBehind => wire::RotationState::ConsumersBehind,
        State::Done => wire::RotationState::Done,
        State::RollingBack => wire::RotationState::RollingBack,
        State::RolledBack => wire::RotationState::RolledBack,
        State::Superseded => wire::RotationState::Superseded,
        State::Closed => wire::RotationState::Closed,
    }
}

const fn token(token: Token) -> wire::TokenStanding {
    match token {
        Token::Unknown => wire::TokenStanding::Unspecified,
        Token::Accepted => wire::TokenStanding::Accepted,
        Token::RefusedOnce => wire::TokenStanding::RefusedOnce,
        Token::Refused => wire::TokenStanding::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_token_is_no_fingerprint_and_is_not_repeated() {
        assert!(fingerprint("0123456789abcdef").is_ok());
        for bad in ["", "0123456789ABCDEF", "0123456789abcde", "pat-na1-00000000-0000"] {
            let error = fingerprint(bad).expect_err("refused");
            assert!(bad.is_empty() || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn a_reason_is_one_line_of_some_words() {
        assert!(matches!(reason(" left the fleet "), Ok("left the fleet")));
        for bad in ["", "  ", "a\nb", &"x".repeat(501)] {
            assert!(reason(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_state_has_its_name_on_the_wire() {
        for each in [
            State::NewTokenRefused,
            State::OldTokenAlive,
            State::ConsumersBehind,
            State::Done,
            State::RollingBack,
            State::RolledBack,
            State::Superseded,
            State::Closed,
        ] {
            assert_eq!(state(each).as_str_name(), format!("ROTATION_STATE_{each}"));
        }
    }
}
