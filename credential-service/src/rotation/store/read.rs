//! Rows of `rotation` with how far their consumers are, as rotations.

use hubkeep_core::{clock::Timestamp, id::PortalId, secret::TokenFingerprint};
use sqlx::FromRow;

use super::{
    super::{
        Error,
        rotation::{Checklist, End, Rotation},
        state::{Standing, Token},
    },
    count,
};

#[derive(FromRow)]
pub(super) struct Row {
    rotation_id: String,
    portal_id: i64,
    client_slug: String,
    credential_id: String,
    credential_name: String,
    standing: String,
    old_version: i64,
    new_version: i64,
    credential_version: i64,
    old_fingerprint: String,
    new_fingerprint: String,
    old_token: String,
    new_token: String,
    lost_scopes: String,
    store_version: i64,
    rotated_by: String,
    switch_time: i64,
    probe_time: Option<i64>,
    next_probe_time: Option<i64>,
    refused_once_time: Option<i64>,
    end_reason: String,
    ended_by: String,
    end_time: Option<i64>,
    tasks: i64,
    tasks_done: i64,
    tasks_overdue: i64,
    tasks_ended: i64,
}

impl TryFrom<Row> for Rotation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let id = row.rotation_id.clone();
        rotation(row).ok_or(Error::BrokenRow(id))
    }
}

fn rotation(row: Row) -> Option<Rotation> {
    let (done, overdue, ended) = (
        count(row.tasks_done),
        count(row.tasks_overdue),
        count(row.tasks_ended),
    );
    let standing = standing_of(&row.standing)?;
    let (mut old_token, mut new_token) = (token_of(&row.old_token)?, token_of(&row.new_token)?);
    let retired = match standing {
        Standing::RolledBack => &mut new_token,
        Standing::InForce | Standing::Superseded | Standing::Closed => &mut old_token,
    };
    if row.refused_once_time.is_some() && *retired != Token::Refused {
        *retired = Token::RefusedOnce;
    }
    let end = row.end_time.map(|time| End {
        reason: row.end_reason,
        by: row.ended_by,
        time: Timestamp::from_micros(time),
    });
    Some(Rotation {
        rotation_id: row.rotation_id.parse().ok()?,
        portal_id: PortalId::from_i64(row.portal_id)?,
        client_slug: row.client_slug.parse().ok()?,
        credential_id: row.credential_id.parse().ok()?,
        credential_name: row.credential_name.parse().ok()?,
        standing,
        old_version: u64::try_from(row.old_version).ok()?,
        new_version: u64::try_from(row.new_version).ok()?,
        credential_version: u64::try_from(row.credential_version).ok()?,
        old_fingerprint: TokenFingerprint::from_stored(row.old_fingerprint),
        new_fingerprint: TokenFingerprint::from_stored(row.new_fingerprint),
        old_token,
        new_token,
        lost_scopes: row.lost_scopes.split_whitespace().map(str::to_owned).collect(),
        store_version: u64::try_from(row.store_version).ok()?,
        rotated_by: row.rotated_by.parse().ok()?,
        switch_time: Timestamp::from_micros(row.switch_time),
        probe_time: row.probe_time.map(Timestamp::from_micros),
        next_probe_time: row.next_probe_time.map(Timestamp::from_micros),
        end,
        checklist: Checklist {
            done,
            overdue,
            ended,
            behind: count(row.tasks)
                .saturating_sub(done)
                .saturating_sub(overdue)
                .saturating_sub(ended),
        },
    })
}

pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::InForce => "in-force",
        Standing::RolledBack => "rolled-back",
        Standing::Superseded => "superseded",
        Standing::Closed => "closed",
    }
}

fn standing_of(name: &str) -> Option<Standing> {
    match name {
        "in-force" => Some(Standing::InForce),
        "rolled-back" => Some(Standing::RolledBack),
        "superseded" => Some(Standing::Superseded),
        "closed" => Some(Standing::Closed),
        _ => None,
    }
}

/// That it refused one only once stands in a column of its own: an earlier version of this service reads this one.
pub(super) const fn token(token: Token) -> &'static str {
    match token {
        Token::Unknown | Token::RefusedOnce => "",
        Token::Accepted => "accepted",
        Token::Refused => "refused",
    }
}

fn token_of(name: &str) -> Option<Token> {
    match name {
        "" => Some(Token::Unknown),
        "accepted" => Some(Token::Accepted),
        "refused" => Some(Token::Refused),
        _ => None,
    }
}
