//! Who is given which checkpoints and proofs, and what whoever asks for something else is told.

use hubkeep_audit_log::Operation;
use hubkeep_proto::audit::v1::{
    EventFilter, GetCheckpointRequest, GetCheckpointResponse, GetProofRequest, GetProofResponse,
    ListEventsRequest, get_proof_request::Of,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    proofs::{covered, read_note},
    served::{Served, asked, reason},
    support::{Place, entry, eventually, everything, on_both_databases},
};

const ONE: &str = "test/crm-service/1";
const TWO: &str = "test/crm-service/2";
const HEADS: &str = "test/crm-service/heads";
const OPERATOR: &str = "operator/ann";

on_both_databases! {
    a_handle_opens_the_proofs_of_its_own_portal_and_the_heads,
    an_auditor_has_the_proofs_of_every_log_and_names_it,
    leaves_are_given_in_place_of_entries,
}

async fn served(place: Place) -> Served {
    let served = Served::start(place.proven()).await;
    served.record(6).await;
    // Reading is on the log, too: what is waited for are the entries of calls.
    for name in [ONE, TWO] {
        served
            .tick_until(async || {
                served
                    .log
                    .checkpoint(name, None)
                    .await
                    .is_ok_and(|newest| newest.size >= 6)
            })
            .await;
        covered(&served.log, name, 6).await;
    }
    served
        .tick_until(async || served.log.head(ONE).await.expect("reads").is_some())
        .await;
    served
}

impl Served {
    /// The clock of the log stands; its work in the background goes on as it is moved.
    async fn tick_until(&self, done: impl AsyncFn() -> bool) {
        eventually("proofs are made", async || {
            self.clock.advance(std::time::Duration::from_millis(10));
            done().await
        })
        .await;
    }

    async fn checkpoint(
        &self,
        caller: &str,
        handle: Option<&str>,
        slug: &str,
        log: &str,
    ) -> Result<GetCheckpointResponse, Status> {
        let request = GetCheckpointRequest {
            client_slug: slug.to_owned(),
            log: log.to_owned(),
            size: 0,
            heads_size: 0,
        };
        let given = self
            .client
            .clone()
            .get_checkpoint(asked(caller, handle, request))
            .await;
        given.map(tonic::Response::into_inner)
    }

    async fn proof(&self, handle: &str, request: GetProofRequest) -> Result<GetProofResponse, Status> {
        let request = GetProofRequest {
            client_slug: "client-1".to_owned(),
            ..request
        };
        let given = self
            .client
            .clone()
            .get_proof(asked("agent", Some(handle), request))
            .await;
        given.map(tonic::Response::into_inner)
    }
}

fn field(status: &Status) -> String {
    let details = status.get_error_details();
    let bad = details.bad_request().expect("a field");
    bad.field_violations[0].field.clone()
}

async fn a_handle_opens_the_proofs_of_its_own_portal_and_the_heads(place: Place) {
    let served = served(place).await;
    let handle = Some(served.handle.as_str());
    let own = served
        .checkpoint("agent", handle, "client-1", "")
        .await
        .expect("its own");
    let checkpoint = own.checkpoint.expect("one");
    assert_eq!(checkpoint.log, ONE);
    let told = read_note(&checkpoint.note, &own.verifier_keys);
    assert_eq!(
        (told.0.as_str(), told.1, told.2.0.to_vec()),
        (ONE, checkpoint.size, checkpoint.root)
    );
    let head = own.head.expect("the heads name it");
    assert!(head.line.starts_with(b"test/crm-service/1\n"));
    let heads = served
        .checkpoint("agent", handle, "client-1", HEADS)
        .await
        .expect("heads");
    assert!(heads.head.is_none());

    let foreign = served
        .checkpoint("agent", handle, "client-1", TWO)
        .await
        .expect_err("foreign");
    assert_eq!(
        (foreign.code(), field(&foreign)),
        (Code::InvalidArgument, "log".to_owned())
    );
    let no_slug = served
        .checkpoint("agent", handle, "", "")
        .await
        .expect_err("no slug");
    assert_eq!(field(&no_slug), "client_slug");
    let without = served
        .checkpoint("agent", None, "client-1", "")
        .await
        .expect_err("no handle");
    assert_eq!(reason(&without), "HANDLE_MALFORMED");
    let (log, denied) = served.newest().await;
    assert_eq!(
        (log.as_str(), denied.operation()),
        ("test/crm-service/system", Operation::AuditCheckpoint)
    );

    let proof = |request| served.proof(&served.handle, request);
    let included = proof(GetProofRequest {
        of: Some(Of::Index(3)),
        ..GetProofRequest::default()
    })
    .await
    .expect("proven");
    assert_eq!((included.index, included.leaf_hash.len()), (3, 32));
    let events = everything(&served.log).await;
    let foreign = events
        .iter()
        .find(|event| event.log == TWO)
        .expect("one")
        .position;
    let refused = proof(GetProofRequest {
        of: Some(Of::Position(foreign)),
        ..GetProofRequest::default()
    });
    let refused = refused.await.expect_err("another portal's entry");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::NotFound, "PROOF_UNKNOWN")
    );
    for (request, wrong) in [
        (GetProofRequest::default(), "of"),
        (
            GetProofRequest {
                of: Some(Of::OldSize(0)),
                ..GetProofRequest::default()
            },
            "old_size",
        ),
        (
            GetProofRequest {
                log: TWO.to_owned(),
                of: Some(Of::Index(0)),
                ..GetProofRequest::default()
            },
            "log",
        ),
    ] {
        assert_eq!(field(&proof(request).await.expect_err("refused")), wrong);
    }
    let consistent = GetProofRequest {
        of: Some(Of::OldSize(6)),
        ..GetProofRequest::default()
    };
    let consistent = proof(consistent).await.expect("proven");
    assert_eq!(consistent.old_checkpoint.expect("one").size, 6);
}

async fn an_auditor_has_the_proofs_of_every_log_and_names_it(place: Place) {
    let served = served(place).await;
    for name in [ONE, TWO] {
        let given = served.checkpoint(OPERATOR, None, "", name).await.expect("given");
        assert_eq!(given.checkpoint.expect("one").log, name);
    }
    let unnamed = served
        .checkpoint(OPERATOR, None, "client-1", "")
        .await
        .expect_err("no log");
    assert_eq!(field(&unnamed), "log");
    let unknown = served
        .checkpoint(OPERATOR, None, "", "test/crm-service/77")
        .await
        .expect_err("unknown");
    assert_eq!(reason(&unknown), "PROOF_UNKNOWN");
    let (_, denied) = served.newest().await;
    assert_eq!(denied.operation(), Operation::AuditCheckpoint);
}

async fn leaves_are_given_in_place_of_entries(place: Place) {
    let served = served(place).await;
    let request = |log: &str, leaves| ListEventsRequest {
        filter: Some(EventFilter {
            client_slug: "client-1".to_owned(),
            log: log.to_owned(),
            ..EventFilter::default()
        }),
        leaves,
        ..ListEventsRequest::default()
    };
    let handle = Some(served.handle.as_str());
    let (leaves, _) = served
        .list("agent", handle, request(ONE, true))
        .await
        .expect("listed");
    let (entries, _) = served
        .list("agent", handle, request(ONE, false))
        .await
        .expect("listed");
    assert!(leaves.len() >= 6);
    for (with, without) in leaves.iter().zip(&entries) {
        assert!(with.entry.is_none() && without.leaf.is_empty());
        let decoded = prost::Message::decode(with.leaf.as_slice()).expect("an entry");
        assert_eq!(entry(without), &decoded);
    }
    let foreign = served
        .list("agent", handle, request(TWO, true))
        .await
        .expect_err("foreign");
    assert_eq!(field(&foreign), "filter.log");
}
