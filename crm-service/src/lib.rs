//! CRM calls made with a handle: checked, recorded, sent to HubSpot within the portal's limits, and answered for.
//!
//! | room | does | may use |
//! |---|---|---|
//! | [`config`], [`server`] | start | all, only to build |
//! | [`api`] | the gRPC front door: proto to domain and back | the rooms below |
//! | [`call`] | the life of one HubSpot call; [`call::stack`] reads top to bottom | `credentials`, `quota`, `suppression`, `crm` |
//! | [`credentials`] | handles redeemed for grants, and the view of revocations | `crm` |
//! | [`suppression`] | who was erased, and is not created again | nothing |
//! | [`erasure`] | destroys what there is of a portal, when credential-service says so | `credentials` |
//! | [`quota`] | what each portal may still do now | nothing |
//! | [`crm`] | the vocabulary of the CRM | nothing |
//! | `sync` | what threads meet by, and a model checker takes the place of | nothing |

pub mod api;
pub mod call;
pub mod config;
pub mod credentials;
pub mod crm;
pub mod erasure;
pub mod quota;
pub mod server;
pub mod suppression;
mod sync;

/// The migrations of this service's tables.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
