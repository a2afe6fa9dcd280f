//! What a receipt says, read as others would; and the proof that the log keeps it, as a client with gRPC alone has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep_proto::audit::v1::{
    GetCheckpointRequest, GetProofRequest, GetProofResponse, audit_service_client::AuditServiceClient,
    get_proof_request::Of,
};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, check_record};
use tonic::Status;

use super::{
    audit::Reader,
    handles::Handle,
    hubkeep::{Hubkeep, Service},
};
use crate::eventually;

/// What a receipt promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Of which log.
    pub log: String,
    /// At which index of it.
    pub index: u64,
    /// Which leaf, by its hash.
    pub leaf: [u8; 32],
    /// When it was made.
    pub time: String,
}

impl Promise {
    /// What a receipt says, whoever has signed it. Panics if it is none.
    pub fn of(receipt: &str) -> Self {
        let note = Note::from_bytes(receipt.as_bytes()).expect("a signed note");
        let text = String::from_utf8(note.text().to_vec()).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        let [kind, log, index, leaf, time] = lines.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(*kind, "hubkeep receipt/1");
        let value = |line: &str, name: &str| line.strip_prefix(name).expect("its name before it").to_owned();
        let leaf = STANDARD.decode(value(leaf, "leaf ")).expect("base64");
        Self {
            log: value(log, "log "),
            index: value(index, "index ").parse().expect("a number"),
            leaf: leaf.try_into().expect("32 bytes"),
            time: value(time, "time "),
        }
    }
}

/// The text of a note, if one of these keys has signed it. Panics if none has.
fn opened(note: &str, keys: &[String]) -> Vec<u8> {
    let verifier = |key: &String| Box::new(StandardVerifier::new(key).expect("a key")) as Box<dyn Verifier>;
    let known = VerifierList::new(keys.iter().map(verifier).collect());
    let note = Note::from_bytes(note.as_bytes()).expect("a signed note");
    note.verify(&known).expect("signed by the service");
    note.text().to_vec()
}

/// Holds the log to a receipt, with nothing but gRPC and a handle that may read the log: the key has signed it, and the newest
/// checkpoint that covers it proves that very entry at that index. Panics where it does not.
pub async fn assert_kept(hubkeep: &Hubkeep, auditor: &Handle, receipt: &str) -> Promise {
    let client = AuditServiceClient::new(hubkeep.door(Service::Crm).of(&auditor.caller));
    let reader = Reader::Holder(auditor);
    let known = GetCheckpointRequest {
        client_slug: auditor.client_slug.clone(),
        ..GetCheckpointRequest::default()
    };
    let ask = async |index: u64| -> Result<GetProofResponse, Status> {
        let message = GetProofRequest {
            client_slug: auditor.client_slug.clone(),
            of: Some(Of::Index(index)),
            ..GetProofRequest::default()
        };
        let request = reader.request(hubkeep, message);
        Ok(client.clone().get_proof(request).await?.into_inner())
    };
    let promise = Promise::of(receipt);
    // It comes into a checkpoint some moments later.
    eventually!(ask(promise.index).await.is_ok());
    let proof = ask(promise.index).await.expect("proven");
    let keys = client
        .clone()
        .get_checkpoint(reader.request(hubkeep, known))
        .await;
    let keys = keys.expect("there is one").into_inner().verifier_keys;
    opened(receipt, &keys);
    let checkpoint = proof.checkpoint.expect("it is proven in one");
    let checkpoint = Checkpoint::from_bytes(&opened(&checkpoint.note, &keys)).expect("a checkpoint");
    assert_eq!(checkpoint.origin(), promise.log);
    assert_eq!(proof.leaf_hash, promise.leaf, "another entry stands there");
    let hashes = proof
        .hashes
        .iter()
        .map(|hash| Hash(hash.as_slice().try_into().expect("32 bytes")));
    check_record(
        &hashes.collect(),
        checkpoint.size(),
        *checkpoint.hash(),
        promise.index,
        Hash(promise.leaf),
    )
    .expect("the proof leads to the root");
    promise
}
