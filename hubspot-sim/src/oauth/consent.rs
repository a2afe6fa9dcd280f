//! `/oauth/authorize` and `/oauth/{account}/authorize`: shows what an app asks for, and sends the browser back with a code, or
//! with the word that it was declined. Whoever looks at it is logged in as whom they choose: that is the simulator's part.

use std::sync::Arc;

use serde_json::Value;

use super::codes::{Code, LIFETIME};
use super::page::{self, Account, Shown};
use crate::accounts::Portal;
use crate::api::query::Query;
use crate::errors::{self, Problem};
use crate::reply::Reply;
use crate::state::State;
use crate::world::AppSpec;

/// A request to the page.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// The account that is preselected.
    pub(crate) account: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) query: Query,
    pub(crate) form: Option<&'a Value>,
    pub(crate) now: i64,
}

impl Asked<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_default()
    }

    fn form(&self, name: &str) -> &str {
        let value = self.form.and_then(|form| form.get(name));
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// Scopes, which a space joins.
    fn scopes(&self, name: &str) -> Vec<String> {
        let words = self.query(name).split(' ').filter(|scope| !scope.is_empty());
        words.map(str::to_owned).collect()
    }
}

/// Shows the page, or takes what was chosen on it. What is wrong with the request is told on the page: HubSpot sends nobody
/// back to where it cannot be sure of.
pub(crate) fn consent(state: &State, asked: &Asked<'_>) -> Result<Reply, Problem> {
    let app = match checked(state, asked) {
        Ok(app) => app,
        Err(what) => return Ok(Reply::html(400, page::refusal(what))),
    };
    let accounts = accounts(state, asked.account);
    match asked.method {
        "GET" => Ok(Reply::html(200, shown(asked, &app, &accounts))),
        "POST" => Ok(decided(state, asked, app, &accounts)),
        _ => Err(errors::method_not_allowed()),
    }
}

fn checked(state: &State, asked: &Asked<'_>) -> Result<AppSpec, &'static str> {
    let app = state.apps.app(asked.query("client_id"));
    let app = app.ok_or("The app's client id is missing or unknown.")?;
    let redirect_uri = asked.query("redirect_uri");
    let registered = match app.redirect_uris.is_empty() {
        true => is_allowed(redirect_uri),
        false => app.redirect_uris.iter().any(|uri| uri == redirect_uri),
    };
    if !registered {
        return Err("The redirect URL does not match one of the app's.");
    }
    let scopes = asked.scopes("scope");
    if scopes.is_empty() || app.required_scopes.iter().any(|scope| !scopes.contains(scope)) {
        return Err(
            "The scopes do not match: every scope that the app requires must be in the scope parameter.",
        );
    }
    match (
        asked.query("code_challenge"),
        asked.query("code_challenge_method"),
    ) {
        ("", "") | (_, "S256") => Ok(app),
        _ => Err("The code challenge method is not S256."),
    }
}

/// https, or http on this machine.
fn is_allowed(uri: &str) -> bool {
    let local = ["http://localhost:", "http://localhost/", "http://127.0.0.1:"];
    uri.starts_with("https://") || local.iter().any(|start| uri.starts_with(start))
}

fn accounts(state: &State, preselected: Option<&str>) -> Vec<Arc<Portal>> {
    let mut accounts = state.accounts.portals();
    if let Some(id) = preselected {
        accounts.retain(|portal| portal.id.to_string() == id);
    }
    accounts
}

fn shown(asked: &Asked<'_>, app: &AppSpec, accounts: &[Arc<Portal>]) -> String {
    let account = |portal: &Arc<Portal>| Account {
        id: portal.id,
        name: portal.slug.clone(),
        users: portal
            .users
            .iter()
            .map(|user| (user.user_id, user.email.clone()))
            .collect(),
    };
    page::consent(&Shown {
        app_id: app.app_id,
        scopes: asked.scopes("scope"),
        optional_scopes: asked.scopes("optional_scope"),
        accounts: accounts.iter().map(account).collect(),
    })
}

/// Where the browser goes from here.
fn decided(state: &State, asked: &Asked<'_>, app: AppSpec, accounts: &[Arc<Portal>]) -> Reply {
    if asked.form("decision") != "allow" {
        let told = [
            ("error", "access_denied"),
            ("error_description", "the user declined"),
        ];
        return back(asked, &told);
    }
    let chosen = asked.form("user").split_once('/');
    let chosen = chosen.and_then(|(account, user)| Some((account.parse::<u64>().ok()?, user.parse().ok()?)));
    let portal = chosen.and_then(|(id, user_id)| {
        let portal = accounts.iter().find(|portal| portal.id == id)?;
        Some((Arc::clone(portal), user_id))
    });
    let Some((portal, user_id)) = portal else {
        return Reply::html(400, page::refusal("Choose an account, and who you are."));
    };
    let mut scopes = asked.scopes("scope");
    scopes.extend(asked.scopes("optional_scope"));
    let challenge = asked.query("code_challenge");
    let code = state.apps.give_code(Code {
        portal,
        client_id: app.client_id,
        redirect_uri: asked.query("redirect_uri").to_owned(),
        user_id,
        scopes,
        challenge: (!challenge.is_empty()).then(|| challenge.to_owned()),
        ends: asked.now.saturating_add(LIFETIME),
    });
    back(asked, &[("code", &code)])
}

fn back(asked: &Asked<'_>, told: &[(&str, &str)]) -> Reply {
    let redirect_uri = asked.query("redirect_uri");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(told);
    if let Some(state) = asked.query.get("state") {
        query.append_pair("state", state);
    }
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{redirect_uri}{joint}{}", query.finish());
    Reply::empty(302).header("location", &location)
}
