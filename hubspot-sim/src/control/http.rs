//! Control over HTTP, under `/_sim/`, for whoever runs the simulator as a program. It asks for no token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Control, Expire};
use crate::accounts::WorldError;
use crate::api::query::Query;
use crate::faults::{FaultId, FaultRule};
use crate::limits::Limits;
use crate::objects::kind::ObjectType;
use crate::reply::Reply;
use crate::state::State;
use crate::world::{AppSpec, CustomObjectSpec, InstallSpec, PortalSpec, TokenSpec};

/// Where all control endpoints are.
pub(crate) const PREFIX: &str = "/_sim/";

/// Why a control request was refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no such control endpoint")]
    NoSuchEndpoint,
    #[error("the body does not fit: {0}")]
    BadBody(#[from] serde_json::Error),
    #[error(transparent)]
    World(#[from] WorldError),
}

#[derive(Deserialize)]
struct TokenOf {
    token: String,
}

#[derive(Deserialize)]
struct MovedToken {
    token: String,
    portal_id: u64,
}

#[derive(Deserialize)]
struct NewToken {
    portal_id: u64,
    #[serde(flatten)]
    token: TokenSpec,
}

#[derive(Deserialize)]
struct NewInstall {
    portal_id: u64,
    #[serde(flatten)]
    install: InstallSpec,
}

#[derive(Deserialize)]
struct NewScopes {
    token: String,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Rotation {
    token: String,
    new_token: String,
    #[serde(default)]
    expire: Expire,
}

#[derive(Deserialize)]
struct Use {
    token: String,
    calls: u32,
}

#[derive(Deserialize)]
struct Edit {
    portal_id: u64,
    object_type: ObjectType,
    id: u64,
    user_id: u64,
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct NewObjects {
    portal_id: u64,
    #[serde(flatten)]
    spec: CustomObjectSpec,
}

#[derive(Deserialize)]
struct Release {
    id: Option<FaultId>,
}

#[derive(Deserialize)]
struct PortalChange {
    portal_id: u64,
    limits: Option<Limits>,
    consume_daily: Option<u64>,
    search_lag_ms: Option<u64>,
    data_hosting_location: Option<String>,
}

#[derive(Deserialize)]
struct Skip {
    ms: u64,
}

/// Answers a control request.
pub(crate) fn answer(state: &Arc<State>, method: &str, uri: &Uri, body: &[u8]) -> Reply {
    let control = Control::of(Arc::clone(state));
    match act(&control, method, uri, body) {
        Ok(value) => Reply::json(200, &value),
        Err(refusal) => {
            let status = match refusal {
                Refusal::NoSuchEndpoint => 404,
                Refusal::BadBody(_) => 400,
                Refusal::World(_) => 409,
            };
            Reply::json(status, &json!({ "error": refusal.to_string() }))
        }
    }
}

fn act(control: &Control, method: &str, uri: &Uri, body: &[u8]) -> Result<Value, Refusal> {
    let done = || Ok(json!({ "ok": true }));
    match (method, uri.path().strip_prefix(PREFIX).unwrap_or_default()) {
        ("GET", "health") => done(),
        ("GET", "state") => Ok(whole_state(control)),
        ("GET", "journal") => journal(control, uri),
        ("DELETE", "journal") => {
            control.clear_journal();
            done()
        }
        ("GET", "faults") => Ok(faults(control)),
        ("POST", "faults") => Ok(json!({ "id": control.inject(parse::<FaultRule>(body)?) })),
        ("POST", "faults/release") => release(control, body).and_then(|()| done()),
        ("DELETE", "faults") => {
            control.clear_faults();
            done()
        }
        ("POST", "time") => {
            control.advance_time(Duration::from_millis(parse::<Skip>(body)?.ms));
            done()
        }
        ("POST", path) => change_world(control, path, body).and_then(|()| done()),
        ("PATCH", "portals") => change_portal(control, parse(body)?).and_then(|()| done()),
        _ => Err(Refusal::NoSuchEndpoint),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(body)?)
}

fn whole_state(control: &Control) -> Value {
    json!({
        "now_micros": control.now_micros(),
        "journal_entries": control.journal_len(),
        "held": control.held(),
        "portals": control.portals(),
    })
}

fn journal(control: &Control, uri: &Uri) -> Result<Value, Refusal> {
    let query = Query::parse(uri.query().unwrap_or_default());
    let since = query.get("since").and_then(|seq| seq.parse().ok()).unwrap_or(0);
    Ok(serde_json::to_value(control.journal_since(since))?)
}

fn faults(control: &Control) -> Value {
    control
        .faults()
        .into_iter()
        .map(|(id, rule)| json!({ "id": id, "rule": rule }))
        .collect()
}

fn release(control: &Control, body: &[u8]) -> Result<(), Refusal> {
    match parse::<Release>(body)?.id {
        Some(id) => control.release(id),
        None => control.clear_faults(),
    }
    Ok(())
}

fn change_world(control: &Control, path: &str, body: &[u8]) -> Result<(), Refusal> {
    match path {
        "portals" => control.add_portal(parse::<PortalSpec>(body)?)?,
        "tokens" => {
            let new: NewToken = parse(body)?;
            control.add_token(new.portal_id, new.token)?;
        }
        "scopes" => {
            let new: NewScopes = parse(body)?;
            control.set_scopes(&new.token, new.scopes)?;
        }
        "tokens/move" => {
            let moved: MovedToken = parse(body)?;
            control.move_token(&moved.token, moved.portal_id)?;
        }
        "revocations" => control.revoke_token(&parse::<TokenOf>(body)?.token)?,
        "restorations" => control.restore_token(&parse::<TokenOf>(body)?.token)?,
        "apps" => control.add_app(parse::<AppSpec>(body)?),
        "installs" => {
            let new: NewInstall = parse(body)?;
            control.install_app(new.portal_id, new.install)?;
        }
        "uninstalls" => control.uninstall_app(&parse::<TokenOf>(body)?.token)?,
        "rotations" => {
            let rotation: Rotation = parse(body)?;
            control.rotate_token(&rotation.token, &rotation.new_token, rotation.expire)?;
        }
        "rotations/expire" => control.expire_old_token(&parse::<TokenOf>(body)?.token)?,
        "uses" => {
            let used: Use = parse(body)?;
            control.use_elsewhere(&used.token, used.calls)?;
        }
        "edits" => edit(control, &parse(body)?)?,
        "custom_objects" => {
            let new: NewObjects = parse(body)?;
            control.define_custom_object(new.portal_id, new.spec)?;
        }
        "rotations/cancel" => control.cancel_rotation(&parse::<TokenOf>(body)?.token)?,
        _ => return Err(Refusal::NoSuchEndpoint),
    }
    Ok(())
}

fn edit(control: &Control, edit: &Edit) -> Result<(), WorldError> {
    let properties: Vec<(&str, &str)> = edit
        .properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    control.edit_by_hand(
        edit.portal_id,
        edit.object_type,
        edit.id,
        edit.user_id,
        &properties,
    )
}

fn change_portal(control: &Control, change: PortalChange) -> Result<(), Refusal> {
    let id = change.portal_id;
    if let Some(limits) = change.limits {
        control.set_limits(id, limits)?;
    }
    if let Some(calls) = change.consume_daily {
        control.consume_daily(id, calls)?;
    }
    if let Some(ms) = change.search_lag_ms {
        control.set_search_lag(id, Duration::from_millis(ms))?;
    }
    if let Some(location) = change.data_hosting_location {
        control.set_data_hosting_location(id, &location)?;
    }
    Ok(())
}
