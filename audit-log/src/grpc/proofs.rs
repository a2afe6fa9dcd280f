//! Checkpoints and proofs on the wire. Whoever may read a log may have what was signed of it; what all logs together had
//! come to is for every reader, for it names nobody.

use hubkeep_core::grpc::Context;
use hubkeep_proto::audit::v1::{
    EventFilter, GetCheckpointRequest, GetCheckpointResponse, GetProofRequest, GetProofResponse, Head, Named,
    NamedLine, get_proof_request::Of,
};
use tonic::metadata::MetadataMap;

use super::{
    AuditApi,
    api::{Reading, Refused},
    error::Error,
};
use crate::{Operation, Position, proofs, proofs::Which};

impl AuditApi {
    pub(super) async fn checkpoint(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: GetCheckpointRequest,
    ) -> Result<GetCheckpointResponse, Refused> {
        let reading = self
            .reading(context, metadata, request.client_slug.clone())
            .await?;
        let given = self.give_checkpoint(context, &reading, &request).await;
        let portal = reading.portal;
        given.map_err(|error| Refused { error, portal })
    }

    async fn give_checkpoint(
        &self,
        context: &Context,
        reading: &Reading,
        request: &GetCheckpointRequest,
    ) -> Result<GetCheckpointResponse, Error> {
        let log = self.log_asked_for(reading, &request.log)?;
        self.on_record(context, reading, Operation::AuditCheckpoint)
            .await?;
        let checkpoint = self.log.checkpoint(&log, size(request.size)).await?;
        let beginning = self.log.beginning(&log).await?;
        let pruned_hashes = match &beginning {
            Some(beginning) => self.log.front(&checkpoint, beginning.first_index).await?,
            None => Vec::new(),
        };
        let named = match request.heads_size {
            size if size > 0 && log != self.log.heads_name() => Some(self.log.named(&log, size).await?),
            _ => None,
        };
        let may_see_others = reading.portal.is_none();
        Ok(GetCheckpointResponse {
            checkpoint: Some(checkpoint.into()),
            verifier_keys: self.log.verifier_keys().await?,
            head: self.log.head(&log).await?.map(head),
            beginning: beginning.map(Into::into),
            pruned_hashes: hashes(&pruned_hashes),
            named: named.map(|told| named_for(told, may_see_others)),
        })
    }

    pub(super) async fn proof(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: GetProofRequest,
    ) -> Result<GetProofResponse, Refused> {
        let reading = self
            .reading(context, metadata, request.client_slug.clone())
            .await?;
        let given = self.give_proof(context, &reading, &request).await;
        let portal = reading.portal;
        given.map_err(|error| Refused { error, portal })
    }

    async fn give_proof(
        &self,
        context: &Context,
        reading: &Reading,
        request: &GetProofRequest,
    ) -> Result<GetProofResponse, Error> {
        let log = self.log_asked_for(reading, &request.log)?;
        let of = request
            .of
            .ok_or_else(|| Error::field("of", "say what is to be proven: set index, position or old_size"))?;
        if of == Of::OldSize(0) {
            return Err(Error::field(
                "old_size",
                "must be at least 1: everything grows out of nothing",
            ));
        }
        self.on_record(context, reading, Operation::AuditProof).await?;
        let size = size(request.size);
        match of {
            Of::Index(index) => self.inclusion(&log, Which::Index(index), size).await,
            Of::Position(position) => {
                let which = Which::Position(Position(position));
                self.inclusion(&log, which, size).await
            }
            Of::OldSize(old) => self.consistency(&log, old, size).await,
        }
    }

    async fn inclusion(&self, log: &str, which: Which, size: Option<u64>) -> Result<GetProofResponse, Error> {
        let proof = self.log.inclusion(log, which, size).await?;
        Ok(GetProofResponse {
            checkpoint: Some(proof.checkpoint.into()),
            hashes: hashes(&proof.hashes),
            index: proof.index,
            leaf_hash: proof.leaf_hash.to_vec(),
            old_checkpoint: None,
        })
    }

    async fn consistency(&self, log: &str, old: u64, size: Option<u64>) -> Result<GetProofResponse, Error> {
        let proof = self.log.consistency(log, old, size).await?;
        Ok(GetProofResponse {
            checkpoint: Some(proof.checkpoint.into()),
            hashes: hashes(&proof.hashes),
            old_checkpoint: Some(proof.old.into()),
            ..GetProofResponse::default()
        })
    }

    async fn reading(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        client_slug: String,
    ) -> Result<Reading, Error> {
        let filter = EventFilter {
            client_slug,
            ..EventFilter::default()
        };
        // The same authority as for events; only the field has another name.
        let reading = self.admit(context, metadata, Some(&filter)).await;
        reading.map_err(|error| error.without_prefix("filter."))
    }

    /// The log that is meant: with a handle its portal's, or that of heads.
    fn log_asked_for(&self, reading: &Reading, asked: &str) -> Result<String, Error> {
        let own = reading.portal.as_ref().map(|portal| self.log.name_of(portal));
        match own {
            None if asked.is_empty() => Err(Error::field(
                "log",
                "name the log: <deployment>/<service>/<portal_id>, or …/system, or …/heads",
            )),
            None => Ok(asked.to_owned()),
            Some(own) if asked.is_empty() || asked == own => Ok(own),
            Some(_) if asked == self.log.heads_name() => Ok(asked.to_owned()),
            Some(_) => Err(Error::field(
                "log",
                "is neither the log of the handle's portal nor that of heads: leave it out for the first",
            )),
        }
    }
}

/// 0 is the newest.
fn size(asked: u64) -> Option<u64> {
    (asked > 0).then_some(asked)
}

fn head(head: proofs::Head) -> Head {
    Head {
        checkpoint: Some(head.checkpoint.into()),
        leaf: head.leaf,
        leaf_index: head.leaf_index,
        leaf_proof: hashes(&head.leaf_proof),
        line: head.line,
        line_index: head.line_index,
        line_count: head.line_count,
        line_proof: hashes(&head.line_proof),
    }
}

/// Whose logs stand beside it is for those to know who may read every log.
fn named_for(told: proofs::Named, may_see_others: bool) -> Named {
    let lines = match told.is_named || may_see_others {
        true => told.lines,
        false => Vec::new(),
    };
    Named {
        checkpoint: Some(told.checkpoint.into()),
        leaf: told.leaf,
        leaf_proof: hashes(&told.leaf_proof),
        lines: lines.into_iter().map(line).collect(),
    }
}

fn line(line: proofs::Line) -> NamedLine {
    NamedLine {
        line: line.text,
        index: line.index,
        proof: hashes(&line.proof),
    }
}

fn hashes(hashes: &[[u8; 32]]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::Timestamp;

    use super::*;

    fn told(is_named: bool) -> proofs::Named {
        let line = proofs::Line {
            text: b"a/b/7\n1\n".to_vec(),
            index: 0,
            proof: Vec::new(),
        };
        proofs::Named {
            checkpoint: proofs::Checkpoint {
                log: "a/b/heads".to_owned(),
                size: 1,
                root: [0; 32],
                note: String::new(),
                made_time: Timestamp::from_micros(0),
            },
            leaf: Vec::new(),
            leaf_proof: Vec::new(),
            lines: vec![line],
            is_named,
        }
    }

    #[test]
    fn whoever_comes_with_a_handle_is_shown_no_other_portal_s_line() {
        let shown = |is_named, may_see_others| named_for(told(is_named), may_see_others).lines.len();
        assert_eq!((shown(true, false), shown(true, true)), (1, 1));
        assert_eq!((shown(false, false), shown(false, true)), (0, 1));
    }
}
