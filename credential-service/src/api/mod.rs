//! The gRPC front door: proto to domain and back, and nothing else. One file for each gRPC service.
//!
//! | file | does |
//! |---|---|
//! | `desk` | answers: works to the end, puts on record, releases |
//! | `fields`, `faults`, `page`, `scope` | read the fields that requests share |
//! | `rows` | what every import has in common: rows in, outcomes out |
//! | `portal_service`, `import` | portals, and many of them |
//! | `rotation_service`, `rotation_import`, `rotation`, `consumer` | rotations, many of them, and who must hear of them |
//! | `consumer_service` | rotations as those see them |
//! | `access_service`, `grant`, `person` | who may have which handles |
//! | `containment_service` | what is contained, and whose handles are ended |
//! | `handle_service`, `redemption_service`, `redemption` | handles, and what is behind them |
//! | `session_service`, `authorization_service`, `connection_service`, `people`, `authorization` | people who sign in, their clients, and what they connect |
//! | `portal_record_service` | what reports need to know of a portal |
//! | `revocation_feed` | the stream on which redeemers hear what is revoked |

mod access_service;
mod authorization;
mod authorization_service;
mod connection_service;
mod consumer;
mod consumer_service;
mod containment_service;
mod desk;
mod doctor;
mod error;
mod faults;
mod fields;
mod grant;
mod handle_service;
mod import;
mod old_tokens;
mod page;
mod people;
mod person;
mod portal;
mod portal_record_service;
mod portal_service;
mod redemption;
mod redemption_service;
mod revocation_feed;
mod rotation;
mod rotation_import;
mod rotation_service;
mod rows;
mod scope;
mod session_service;

pub use access_service::AccessApi;
pub use authorization_service::AuthorizationApi;
pub use connection_service::ConnectionApi;
pub use consumer_service::ConsumerApi;
pub use containment_service::ContainmentApi;
pub use desk::Desk;
pub use error::Error;
pub use handle_service::HandleApi;
pub use portal_record_service::PortalRecordApi;
pub use portal_service::PortalApi;
pub use redemption_service::RedemptionApi;
pub use rotation_service::RotationApi;
pub use session_service::SessionApi;
