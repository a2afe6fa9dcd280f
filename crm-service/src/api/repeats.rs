//! Messages that ask for a write, which may be asked for again under their request id.

use std::sync::Arc;

use aws_lc_rs::digest;
use hubkeep_core::id::RequestId;
use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, ArchivePipelineRequest, ArchivePipelineStageRequest, ArchivePropertyRequest,
    BatchArchiveObjectsRequest, BatchCreateAssociationsRequest, BatchCreateObjectsRequest,
    BatchRemoveAssociationLabelsRequest, BatchRemoveAssociationsRequest, BatchUpdateObjectsRequest,
    CreateAssociationRequest, CreateObjectRequest, CreatePipelineRequest, CreatePipelineStageRequest,
    CreatePropertyRequest, EraseContactRequest, MergeObjectsRequest, RemoveAssociationRequest,
    UpdateObjectRequest, UpdatePipelineRequest, UpdatePipelineStageRequest, UpdatePropertyRequest,
    UpsertObjectsRequest,
};
use prost::Message;

use crate::{
    crm::{self, Faults},
    writes::Repeatable,
};

/// The field of all of them.
const FIELD: &str = "request_id";

/// A message that asks for a write.
pub(super) trait Repeats: Message {
    /// The caller's own id for it; empty where it has none.
    fn request_id(&self) -> &str;
}

macro_rules! repeats {
    ($($message:ty),* $(,)?) => {
        $(impl Repeats for $message {
            fn request_id(&self) -> &str {
                &self.request_id
            }
        })*
    };
}

repeats!(
    CreateObjectRequest,
    UpdateObjectRequest,
    ArchiveObjectRequest,
    MergeObjectsRequest,
    EraseContactRequest,
    BatchCreateObjectsRequest,
    BatchUpdateObjectsRequest,
    BatchArchiveObjectsRequest,
    UpsertObjectsRequest,
    CreateAssociationRequest,
    RemoveAssociationRequest,
    BatchCreateAssociationsRequest,
    BatchRemoveAssociationsRequest,
    BatchRemoveAssociationLabelsRequest,
    CreatePropertyRequest,
    UpdatePropertyRequest,
    ArchivePropertyRequest,
    CreatePipelineRequest,
    UpdatePipelineRequest,
    ArchivePipelineRequest,
    CreatePipelineStageRequest,
    UpdatePipelineStageRequest,
    ArchivePipelineStageRequest,
);

/// What tells a message from every other, if it may be asked for again. Maps are written in order, so that the same message
/// is the same bytes.
///
/// # Errors
/// If its request id is none.
pub(super) fn again<M: Repeats>(message: &M) -> Result<Option<Repeatable>, crm::Error> {
    if message.request_id().is_empty() {
        return Ok(None);
    }
    let mut faults = Faults::default();
    let read = message.request_id().parse::<RequestId>();
    let request_id = faults.keep(FIELD, read.map_err(|_| "must be a UUID, or empty"));
    let request_id = faults.resolve(request_id)?;
    let hash = digest::digest(&digest::SHA256, &message.encode_to_vec());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.as_ref());
    Ok(Some(Repeatable {
        request_id,
        part: 0,
        message: bytes,
        rest: 0,
    }))
}

/// The same for one call of several that the message takes.
pub(super) fn part(again: Option<&Repeatable>, part: usize) -> Option<Arc<Repeatable>> {
    let again = again?;
    Some(Arc::new(Repeatable {
        part: u32::try_from(part).unwrap_or(u32::MAX),
        ..again.clone()
    }))
}

/// What was read, if there is no fault in either; else every fault of both.
pub(super) fn both<T, U>(
    one: Result<T, crm::Error>,
    other: Result<U, crm::Error>,
) -> Result<(T, U), crm::Error> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(request_id: &str, value: &str) -> UpdateObjectRequest {
        UpdateObjectRequest {
            object_id: "101".to_owned(),
            properties: [
                ("a".to_owned(), value.to_owned()),
                ("b".to_owned(), "2".to_owned()),
            ]
            .into(),
            request_id: request_id.to_owned(),
            ..UpdateObjectRequest::default()
        }
    }

    #[test]
    fn a_message_without_a_request_id_is_asked_for_anew_each_time() {
        assert!(again(&update("", "1")).expect("valid").is_none());
    }

    #[test]
    fn other_bytes_are_told_from_the_same() {
        const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
        let hash = |value| again(&update(ID, value)).expect("valid").expect("named").message;
        assert_eq!(hash("1"), hash("1"));
        assert_ne!(hash("1"), hash("2"));
    }

    #[test]
    fn what_is_no_uuid_is_told_with_its_field() {
        let error = again(&update("order-17", "1")).expect_err("refused");
        assert!(error.to_string().contains(FIELD), "{error}");
    }
}
