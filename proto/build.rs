//! Compiles the .proto files in Rust alone: no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

/// Messages that carry a token, a handle, a secret or what is sealed. Their `Debug` is written by hand and shows none of it.
const SECRET_BEARING: [&str; 46] = [
    ".hubkeep.credential.v1.OnboardPortalRequest",
    ".hubkeep.credential.v1.ImportPortalsRequest",
    ".hubkeep.credential.v1.IssueHandleResponse",
    ".hubkeep.credential.v1.IntrospectHandleRequest",
    ".hubkeep.credential.v1.NarrowHandleRequest",
    ".hubkeep.credential.v1.NarrowHandleResponse",
    ".hubkeep.credential.v1.ReserveCallRequest",
    ".hubkeep.credential.v1.RevokeHandleRequest",
    ".hubkeep.credential.v1.RedeemHandleRequest",
    ".hubkeep.credential.v1.RedeemHandleResponse",
    ".hubkeep.credential.v1.PresentedHandle",
    ".hubkeep.credential.v1.RotateCredentialRequest",
    ".hubkeep.credential.v1.ImportRotationsRequest",
    ".hubkeep.credential.v1.RegisterConsumerRequest",
    ".hubkeep.credential.v1.RegisterConsumerResponse",
    ".hubkeep.credential.v1.OpenSessionRequest",
    ".hubkeep.credential.v1.OpenSessionResponse",
    ".hubkeep.credential.v1.SessionTokens",
    ".hubkeep.credential.v1.RefreshSessionRequest",
    ".hubkeep.credential.v1.RefreshSessionResponse",
    ".hubkeep.credential.v1.GetSessionRequest",
    ".hubkeep.credential.v1.ListSessionsRequest",
    ".hubkeep.credential.v1.RevokeSessionRequest",
    ".hubkeep.credential.v1.AuthorizeClientRequest",
    ".hubkeep.credential.v1.AuthorizeClientResponse",
    ".hubkeep.credential.v1.ClientTokens",
    ".hubkeep.credential.v1.ExchangeCodeRequest",
    ".hubkeep.credential.v1.ExchangeCodeResponse",
    ".hubkeep.credential.v1.RefreshTokensRequest",
    ".hubkeep.credential.v1.RefreshTokensResponse",
    ".hubkeep.credential.v1.RevokeTokenRequest",
    ".hubkeep.credential.v1.IntrospectTokenRequest",
    ".hubkeep.credential.v1.StartConnectionRequest",
    ".hubkeep.credential.v1.StartConnectionResponse",
    ".hubkeep.credential.v1.CompleteConnectionRequest",
    ".hubkeep.credential.v1.ListAuthorizationsRequest",
    ".hubkeep.credential.v1.RevokeAuthorizationRequest",
    ".hubkeep.credential.v1.GetConnectionRequest",
    ".hubkeep.credential.v1.ListConnectionsRequest",
    ".hubkeep.credential.v1.DisconnectRequest",
    ".hubkeep.credential.v1.User",
    ".hubkeep.credential.v1.Connection",
    ".hubkeep.audit.v1.SealedPayload",
    ".hubkeep.audit.v1.PayloadRecord",
    ".hubkeep.audit.v1.PayloadValue",
    ".hubkeep.audit.v1.PayloadCondition",
];

const FILES: [&str; 32] = [
    "hubkeep/error/v1/error_reason.proto",
    "hubkeep/audit/v1/entry.proto",
    "hubkeep/audit/v1/payload.proto",
    "hubkeep/audit/v1/audit_service.proto",
    "hubkeep/credential/v1/portal_service.proto",
    "hubkeep/credential/v1/handle_service.proto",
    "hubkeep/credential/v1/redemption_service.proto",
    "hubkeep/credential/v1/access_service.proto",
    "hubkeep/credential/v1/containment_service.proto",
    "hubkeep/credential/v1/key_service.proto",
    "hubkeep/credential/v1/rotation_service.proto",
    "hubkeep/credential/v1/portal_record_service.proto",
    "hubkeep/credential/v1/session_service.proto",
    "hubkeep/credential/v1/connection_service.proto",
    "hubkeep/credential/v1/authorization_service.proto",
    "hubkeep/crm/v1/reply.proto",
    "hubkeep/crm/v1/object.proto",
    "hubkeep/crm/v1/object_batch.proto",
    "hubkeep/crm/v1/object_service.proto",
    "hubkeep/crm/v1/association.proto",
    "hubkeep/crm/v1/association_batch.proto",
    "hubkeep/crm/v1/association_service.proto",
    "hubkeep/crm/v1/pipeline.proto",
    "hubkeep/crm/v1/pipeline_writes.proto",
    "hubkeep/crm/v1/property.proto",
    "hubkeep/crm/v1/property_writes.proto",
    "hubkeep/crm/v1/schema_service.proto",
    "hubkeep/crm/v1/owner_service.proto",
    "hubkeep/crm/v1/quota_service.proto",
    "hubkeep/crm/v1/write_service.proto",
    "hubkeep/crm/v1/report_service.proto",
    "hubkeep/crm/v1/alert_service.proto",
];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through the environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=hubkeep");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("hubkeep.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .skip_debug(SECRET_BEARING)
        .btree_map(".")
        // Apart, because few entries have it, and entries are handed from task to task.
        .boxed(".hubkeep.audit.v1.Entry.pruning")
        .compile_fds(descriptors)?;
    Ok(())
}
