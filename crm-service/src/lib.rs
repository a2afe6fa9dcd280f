//! CRM calls made with a handle: checked, recorded, sent to HubSpot within the portal's limits, and answered for.
//!
//! | room | does | may use |
//! |---|---|---|
//! | [`config`], [`server`] | start | all, only to build |
//! | [`api`] | the gRPC front door: proto to domain and back | the rooms below |
//! | [`web`] | the browser front door: the audit viewer, and the pages on which people sign in | `credentials` |
//! | [`mcp`] | the front door for people's programs: MCP, and its authorization server | `actions`, `call`, `credentials` |
//! | [`actions`] | structured actions: a schema in, fields out | `call`, `crm` |
//! | [`alerts`] | rules over the log, and alerts by them | `notify`, `credentials` |
//! | [`reports`] | questions put to the audit logs | `credentials` |
//! | [`call`] | the life of one HubSpot call; [`call::stack`] reads top to bottom | `writes`, `pairs`, `credentials`, `quota`, `suppression`, `crm` |
//! | [`writes`] | request ids, and writes of unknown outcome | `crm` |
//! | [`pairs`] | whose turn it is to change what two records are to each other | `crm` |
//! | [`credentials`] | handles redeemed for grants, and the view of revocations | `crm` |
//! | [`suppression`] | who was erased, and is not created again | `writes` |
//! | [`erasure`] | destroys what there is of a portal, when credential-service says so | `writes`, `suppression`, `credentials`, `alerts` |
//! | [`notify`] | webhooks and Slack | nothing |
//! | [`quota`] | what each portal may still do now | nothing |
//! | [`crm`] | the vocabulary of the CRM | nothing |
//! | `sync` | what threads meet by, and a model checker takes the place of | nothing |

pub mod actions;
pub mod alerts;
pub mod api;
pub mod call;
pub mod config;
pub mod credentials;
pub mod crm;
pub mod erasure;
pub mod mcp;
pub mod notify;
pub mod pairs;
pub mod quota;
pub mod reports;
pub mod server;
pub mod suppression;
mod sync;
pub mod web;
pub mod writes;

/// The migrations of this service's tables.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
