//! Pipelines and their stages, by object type.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kind::ObjectType;
use crate::clock::iso;

/// A step on the way through a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) order: i64,
    /// `isClosed` and `probability` of deals, `ticketState` of tickets; HubSpot keeps all of it as text.
    pub(crate) metadata: Map<String, Value>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// A way through which records go.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) order: i64,
    pub(crate) stages: Vec<Stage>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// The pipelines of one account.
#[derive(Debug)]
pub(crate) struct Pipelines {
    by_type: BTreeMap<ObjectType, Vec<Pipeline>>,
    last_number: u64,
}

impl Pipelines {
    /// Those that every account begins with: one of deals, one of tickets.
    pub(crate) fn standard() -> Self {
        let deals = pipeline(
            "default",
            "Sales Pipeline",
            DEAL_STAGES.iter().map(deal_stage).collect(),
        );
        let tickets = pipeline(
            "0",
            "Support Pipeline",
            TICKET_STAGES.iter().map(ticket_stage).collect(),
        );
        Self {
            by_type: BTreeMap::from([
                (ObjectType::Deals, vec![deals]),
                (ObjectType::Tickets, vec![tickets]),
            ]),
            last_number: 900_000,
        }
    }

    /// The pipelines of one type.
    pub(crate) fn of(&mut self, kind: ObjectType) -> &mut Vec<Pipeline> {
        self.by_type.entry(kind).or_default()
    }

    /// An id for what is new.
    pub(crate) fn new_id(&mut self) -> String {
        self.last_number += 1;
        self.last_number.to_string()
    }
}

/// The properties of this type that name a record's pipeline and stage.
pub(crate) fn properties_of(kind: ObjectType) -> (&'static str, &'static str) {
    match kind {
        ObjectType::Deals => ("pipeline", "dealstage"),
        _ => ("hs_pipeline", "hs_pipeline_stage"),
    }
}

impl Pipeline {
    /// As answers show it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "stages": self.stages.iter().map(Stage::render).collect::<Vec<_>>(),
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": false,
        })
    }
}

impl Stage {
    /// As answers show it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "metadata": self.metadata,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": false,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        })
    }
}

/// HubSpot's own came into being together, 2020-06-30.
const SINCE: i64 = 1_593_532_800_000_000;

/// Id, label, probability.
const DEAL_STAGES: &[(&str, &str, &str)] = &[
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
];

/// Id, label, state.
const TICKET_STAGES: &[(&str, &str, &str)] = &[
    ("1", "New", "OPEN"),
    ("2", "Waiting on contact", "OPEN"),
    ("3", "Waiting on us", "OPEN"),
    ("4", "Closed", "CLOSED"),
];

fn pipeline(id: &str, label: &str, mut stages: Vec<Stage>) -> Pipeline {
    for (order, stage) in (0..).zip(&mut stages) {
        stage.order = order;
    }
    Pipeline {
        id: id.to_owned(),
        label: label.to_owned(),
        order: 0,
        stages,
        created_at: SINCE,
        updated_at: SINCE,
    }
}

fn deal_stage((id, label, probability): &(&str, &str, &str)) -> Stage {
    let closed = id.starts_with("closed").to_string();
    stage(id, label, &[("isClosed", &closed), ("probability", probability)])
}

fn ticket_stage((id, label, state): &(&str, &str, &str)) -> Stage {
    let closed = (*state == "CLOSED").to_string();
    stage(id, label, &[("ticketState", state), ("isClosed", &closed)])
}

fn stage(id: &str, label: &str, metadata: &[(&str, &str)]) -> Stage {
    Stage {
        id: id.to_owned(),
        label: label.to_owned(),
        order: 0,
        metadata: metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect(),
        created_at: SINCE,
        updated_at: SINCE,
    }
}
