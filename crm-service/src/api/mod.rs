//! The gRPC front door: turns messages into [`crm`](crate::crm) words and a [`Call`], and what the call gave into
//! messages again. Nothing is decided here.

mod alert_watch;
mod alert_words;
mod alerts;
mod association_batch;
mod associations;
mod audit;
mod batch;
mod entrance;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod objects;
mod owners;
mod quota;
mod quota_desk;
mod quota_lift;
mod quota_words;
mod read;
mod repeats;
mod reports;
mod schemas;
mod settle;
mod walk;
mod write;
mod writes;

pub use alerts::AlertApi;
pub use associations::AssociationApi;
pub use audit::HandleAuthority;
pub use entrance::Entrance;
pub use objects::ObjectApi;
pub use owners::OwnerApi;
pub use quota::QuotaApi;
pub use quota_desk::QuotaDesk;
pub use reports::ReportApi;
pub use schemas::SchemaApi;
pub use writes::WriteApi;
