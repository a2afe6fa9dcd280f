//! Whether an entry is in the signed log, with everything that shows it.

use hubkeep_audit_log::{AuditLog, proofs};
use hubkeep_core::{grpc::Context, id::ClientSlug};
use hubkeep_proto::audit::v1::{
    Event, GetProofRequest, GetProofResponse, audit_service_server::AuditService as _, get_proof_request::Of,
};
use maud::{Markup, html};

use super::{
    Viewer,
    asked::Asked,
    method,
    proof::{Hash, leads, of_leaf},
    refusal::Refusal,
    times,
};

/// What is known of an entry's place in the signed log.
#[derive(Debug)]
pub(super) enum Proven {
    /// It is there: its bytes lead to the signed root.
    Yes(Box<Proof>),
    /// The newest checkpoint has so many entries, and this is not among them.
    NotYet(u64),
    /// Nothing is signed here.
    Unsigned,
    /// What is stored is not what was signed.
    Damaged(String),
}

/// A proof that holds.
#[derive(Debug)]
pub(super) struct Proof {
    given: GetProofResponse,
    keys: Vec<String>,
}

/// How far a log is signed, as it was when the page was asked for: all of its entries are proven in the same checkpoint.
#[derive(Debug)]
pub(super) struct Signed {
    log: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Upto(u64),
    Unsigned,
    Damaged(String),
}

impl Signed {
    /// How far this log is signed.
    pub(super) async fn of(log: &AuditLog, name: &str, context: &Context) -> Result<Self, Refusal> {
        use proofs::Error as E;
        let state = match log.checkpoint(name, None).await {
            Ok(checkpoint) => State::Upto(checkpoint.size),
            Err(hubkeep_audit_log::Error::Proofs(E::Unknown { .. } | E::Pruned { .. })) => State::Upto(0),
            Err(hubkeep_audit_log::Error::Proofs(E::Off | E::Key(_))) => State::Unsigned,
            Err(hubkeep_audit_log::Error::Proofs(error @ (E::Damaged { .. } | E::Forked { .. }))) => {
                State::Damaged(error.to_string())
            }
            Err(error) => return Err(Refusal::of_log(&error, context)),
        };
        Ok(Self {
            log: name.to_owned(),
            state,
        })
    }

    /// Whether this is how far the log of an entry is signed.
    pub(super) fn is_of(&self, event: &Event) -> bool {
        self.log == event.log
    }

    /// What is known of an entry of this log, whose leaf is there. Where it is covered, its proof is asked for, on record.
    pub(super) async fn proven(
        &self,
        viewer: &Viewer,
        event: &Event,
        context: &Context,
    ) -> Result<Proven, Refusal> {
        let size = match &self.state {
            State::Upto(size) if event.index < *size => *size,
            State::Upto(size) => return Ok(Proven::NotYet(*size)),
            State::Unsigned => return Ok(Proven::Unsigned),
            State::Damaged(why) => return Ok(Proven::Damaged(why.clone())),
        };
        let mut request = tonic::Request::new(GetProofRequest {
            client_slug: String::new(),
            log: self.log.clone(),
            size,
            of: Some(Of::Position(event.position)),
        });
        request.extensions_mut().insert(context.asking(method::PROOF));
        let given = match viewer.0.audit.get_proof(request).await {
            Ok(given) => given.into_inner(),
            // So it is said of what does not fit what was signed.
            Err(status) if status.code() == tonic::Code::Internal => {
                return Ok(Proven::Damaged(status.message().to_owned()));
            }
            Err(status) => return Err(Refusal::told(&status, &Asked::default(), context)),
        };
        if !holds(&given, event) {
            let told = "the proof does not lead from the bytes shown here to the signed root";
            return Ok(Proven::Damaged(told.to_owned()));
        }
        let keys = viewer.0.log.verifier_keys().await;
        let keys = keys.map_err(|error| Refusal::of_log(&error, context))?;
        Ok(Proven::Yes(Box::new(Proof { given, keys })))
    }
}

/// Checks the proof over the bytes that are shown.
fn holds(given: &GetProofResponse, event: &Event) -> bool {
    let Some(checkpoint) = &given.checkpoint else {
        return false;
    };
    let hashes: Option<Vec<Hash>> = given
        .hashes
        .iter()
        .map(|hash| hash.as_slice().try_into().ok())
        .collect();
    let (Some(hashes), Ok(root)) = (hashes, Hash::try_from(checkpoint.root.as_slice())) else {
        return false;
    };
    let leaf = of_leaf(&event.leaf);
    let same = given.index == event.index && checkpoint.log == event.log && given.leaf_hash == leaf;
    same && leads(leaf, event.index, checkpoint.size, &hashes, &root)
}

impl Proven {
    pub(super) const fn is_yes(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    pub(super) const fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// What it comes to, and what shows it.
    pub(super) fn drawn(&self, event: &Event) -> Markup {
        match self {
            Self::Yes(proof) => proof.drawn(event),
            Self::NotYet(size) => html! {
                p class="verdict waiting" {
                    strong { "Not proven yet. " }
                    "It is entry " (event.index) " of its log, and the newest checkpoint covers " (size)
                    ". A checkpoint follows some seconds after an entry: load this page again."
                }
            },
            Self::Unsigned => html! {
                p class="verdict waiting" {
                    strong { "Not proven. " }
                    "This service signs nothing: give it a log key under " code { "[audit.proofs]" } "."
                }
            },
            Self::Damaged(why) => html! {
                p class="verdict damaged" role="alert" {
                    strong { "NOT what was signed: " } (why) ". Keep the database as it is, and see "
                    code { "docs/audit-proofs.md" } ", “When something does not fit”."
                }
            },
        }
    }
}

impl Proof {
    fn drawn(&self, event: &Event) -> Markup {
        let checkpoint = self.given.checkpoint.clone().unwrap_or_default();
        let made = checkpoint.made_time.map(times::exact).unwrap_or_default();
        html! {
            details class="proof" {
                summary {
                    span class="verdict proven" { strong { "Verified. " } "Entry " (event.index) " of a signed log of " (checkpoint.size) }
                }
                dl class="of-fields" {
                    dt { "Log" } dd { code { (checkpoint.log) } }
                    dt { "Index" } dd { (event.index) " of " (checkpoint.size) }
                    dt { "Leaf hash" } dd { code { (hex::encode(&self.given.leaf_hash)) } }
                    dt { "Inclusion proof" }
                    dd {
                        @if self.given.hashes.is_empty() { "none needed: it is the only entry" }
                        ol class="hashes" { @for hash in &self.given.hashes { li { code { (hex::encode(hash)) } } } }
                    }
                    dt { "Root" } dd { code { (hex::encode(&checkpoint.root)) } }
                    dt { "Checkpoint" } dd { pre tabindex="0" aria-label="The signed checkpoint" { (checkpoint.note) } "signed at " (made) }
                    dt { "Signed by" } dd { @for key in &self.keys { code { (key) } br; } }
                    dt { "Leaf" } dd { pre class="wrap" tabindex="0" aria-label="The entry's bytes" { (hex::encode(&event.leaf)) } }
                }
            }
        }
    }
}

/// How to check it without this service.
pub(super) fn offline(event: &Event) -> Markup {
    let entry = event.entry.clone().unwrap_or_default();
    let slug = entry.client_slug.parse::<ClientSlug>().ok();
    html! {
        section class="offline" {
            h2 { "Check it yourself, offline" }
            @match slug.filter(|_| entry.portal_id != 0) {
                Some(slug) => {
                    pre tabindex="0" aria-label="Commands" {
                        "hubkeep audit export --from crm-service --portal " (slug) " --to evidence && hubkeep audit verify evidence"
                    }
                    p class="soft" {
                        "The bundle holds every entry of this portal's log, its checkpoint and the keys; "
                        code { "docs/verify/verify.py" } " and " code { "clients/go/verify" } " verify it too, without our code."
                    }
                }
                None => {
                    p {
                        "This entry is in the service's own log, of which no bundle is made. The leaf below hashes to its leaf hash (SHA-256 over a zero \
                         byte and the leaf), and that leads by the inclusion proof to the root in the signed checkpoint (RFC 6962)."
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::audit::v1::Checkpoint;

    use super::*;

    #[test]
    fn a_proof_of_something_else_than_what_is_shown_does_not_hold() {
        let event = Event {
            log: "test/crm-service/1".to_owned(),
            leaf: b"an entry".to_vec(),
            ..Event::default()
        };
        let root = of_leaf(&event.leaf).to_vec();
        let given = GetProofResponse {
            checkpoint: Some(Checkpoint {
                log: event.log.clone(),
                size: 1,
                root: root.clone(),
                ..Checkpoint::default()
            }),
            leaf_hash: root,
            ..GetProofResponse::default()
        };
        assert!(holds(&given, &event));
        let changed = |change: fn(&mut Event)| {
            let mut event = event.clone();
            change(&mut event);
            holds(&given, &event)
        };
        assert!(!changed(|event| event.leaf.push(0)));
        assert!(!changed(|event| event.index = 1));
        assert!(!changed(|event| event.log.push('0')));
        let forged = GetProofResponse {
            leaf_hash: of_leaf(b"other").to_vec(),
            ..given.clone()
        };
        assert!(!holds(&forged, &event));
        assert!(!holds(&GetProofResponse::default(), &event));
    }
}
