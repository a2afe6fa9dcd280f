//! The wire of Hubkeep: messages, clients and servers generated from the `.proto` files beside this crate,
//! and their descriptor set for reflection.
//!
//! The modules mirror the packages: `hubkeep.crm.v1` is [`crm::v1`]. What the fields promise is written in the
//! `.proto` files, which are what clients in other languages see.

mod reason;
mod redacted;
mod redacted_people;
mod severity;
mod writing;

/// The descriptors of every file, for reflection and for tests that walk all methods.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hubkeep.bin"));

/// The `domain` of every `google.rpc.ErrorInfo` that Hubkeep sends.
pub const ERROR_DOMAIN: &str = "hubkeep";

/// `hubkeep.error`
pub mod error {
    /// `hubkeep.error.v1`: every machine-readable reason.
    pub mod v1 {
        tonic::include_proto!("hubkeep.error.v1");
    }
}

/// `hubkeep.audit`
pub mod audit {
    /// `hubkeep.audit.v1`: entries, and the service that reads them.
    #[expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::disallowed_methods,
        clippy::large_enum_variant,
        reason = "generated: prost and tonic add modules, enums and attributes of their own"
    )]
    pub mod v1 {
        tonic::include_proto!("hubkeep.audit.v1");
    }
}

/// `hubkeep.credential`
pub mod credential {
    /// `hubkeep.credential.v1`: portals, handles, and what passes between the two services.
    #[expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::disallowed_methods,
        reason = "generated: prost and tonic add modules, enums and attributes of their own"
    )]
    pub mod v1 {
        tonic::include_proto!("hubkeep.credential.v1");
    }
}

/// `hubkeep.crm`
pub mod crm {
    /// `hubkeep.crm.v1`: CRM calls made with a handle.
    #[expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::disallowed_methods,
        reason = "generated: prost and tonic add modules, enums and attributes of their own"
    )]
    pub mod v1 {
        tonic::include_proto!("hubkeep.crm.v1");
    }
}
