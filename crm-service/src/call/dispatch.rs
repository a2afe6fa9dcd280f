//! Puts the call into HubSpot's words, and hands it to the client that records and sends it.

use std::collections::BTreeMap;

use hubkeep_audit_log::Draft;
use hubkeep_hubspot::{
    Answer as HubSpotAnswer, Ask as HubSpotAsk, Client, Lease, Request, account,
    objects::{self, Key},
    owners,
};

use super::{Admitted, Call, Counted, End, Error, ObjectRefs, Reply, record_denial::recorded_as};
use crate::{
    crm::{Answer, Ask, PropertyName, PropertyNames, PropertyValues, RecordKey},
    quota::Slot,
};

/// The last step. It takes nothing but a call that is admitted.
pub struct Dispatch {
    hubspot: Client,
    object_refs: ObjectRefs,
}

impl Dispatch {
    /// By this client.
    pub const fn new(hubspot: Client, object_refs: ObjectRefs) -> Self {
        Self { hubspot, object_refs }
    }
}

impl End<Admitted<Call<Counted>>> for Dispatch {
    async fn take(&self, admitted: Admitted<Call<Counted>>) -> Result<Reply, Error> {
        let (call, slot, lease) = admitted.into_parts();
        let admitted = Sending {
            call: &call,
            slot: &slot,
            lease: &lease,
        };
        let version = self.hubspot.version();
        match &call.ask {
            Ask::GetObject {
                key,
                properties,
                archived,
            } => {
                let ask = objects::get(version, &hubspot_key(key), &names(properties), *archived);
                self.send(admitted, ask, Answer::Object).await
            }
            Ask::ListObjects {
                object_type,
                properties,
                limit,
                after,
                archived,
            } => {
                let (names, after) = (names(properties), after.as_deref());
                let ask = objects::list(version, object_type.as_str(), &names, *limit, after, *archived);
                self.send(admitted, ask, Answer::Objects).await
            }
            Ask::SearchObjects(search) => {
                let ask = objects::search(version, search.object_type.as_str(), &search.to_hubspot());
                self.send(admitted, ask, Answer::Objects).await
            }
            Ask::CreateObject {
                object_type,
                values: new,
            } => {
                let ask = objects::create(version, object_type.as_str(), &values(new));
                self.send(admitted, ask, Answer::Object).await
            }
            Ask::UpdateObject { key, values: new } => {
                let ask = objects::update(version, &hubspot_key(key), &values(new));
                self.send(admitted, ask, Answer::Object).await
            }
            Ask::ArchiveObject { key } => {
                let ask = objects::archive(version, &hubspot_key(key));
                self.send(admitted, ask, |()| Answer::Done).await
            }
            Ask::ListOwners {
                email,
                limit,
                after,
                archived,
            } => {
                let ask = owners::list(version, email.as_deref(), *limit, after.as_deref(), *archived);
                self.send(admitted, ask, Answer::Owners).await
            }
            Ask::GetOwner { id } => {
                self.send(admitted, owners::get(version, id.as_str()), Answer::Owner)
                    .await
            }
            Ask::ReadAccount => {
                let ask = account::of_token(version);
                self.send(admitted, ask, |details| Answer::Account(details.portal_id))
                    .await
            }
        }
    }
}

/// A call that is about to be sent.
#[derive(Clone, Copy)]
struct Sending<'a> {
    call: &'a Call<Counted>,
    slot: &'a Slot,
    lease: &'a Lease,
}

impl Dispatch {
    async fn send<T>(
        &self,
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
        answered: impl FnOnce(T) -> Answer,
    ) -> Result<Reply, Error> {
        let Sending { call, slot, lease } = admitted;
        let draft = self.draft(call).await?;
        let grant = call.authority.grant();
        let request = Request {
            ask,
            token: grant.token(),
            draft,
            deadline: call.context.deadline,
            lease: lease.clone(),
        };
        let HubSpotAnswer {
            value,
            outcome,
            limits,
        } = self
            .hubspot
            .call_noting(request, |at| {
                call.authority.note_sent();
                slot.sent(at);
            })
            .await
            .map_err(|error| Error::HubSpot {
                error,
                object_type: call.ask.object_type(),
            })?;
        let (portal, call_id) = (grant.portal().clone(), call.call_id);
        Ok(Reply {
            answer: answered(value),
            portal,
            call_id,
            outcome,
            attempts: 1,
            limits,
        })
    }

    /// What the entries of this attempt say.
    async fn draft(&self, call: &Call<Counted>) -> Result<Draft, Error> {
        let grant = call.authority.grant();
        // The account is no record: its entries name no type.
        let object_type = call.ask.object_type();
        let named = match call.ask {
            Ask::ReadAccount => "",
            _ => object_type.as_str(),
        };
        let object_ref = match call.ask.record_id() {
            Some(id) => Some(
                self.object_refs
                    .of(grant.portal().portal_id(), &object_type, id)
                    .await?,
            ),
            None => None,
        };
        Ok(
            Draft::portal(grant.portal(), recorded_as(&call.ask), call.call_id)
                .context(&call.context)
                .handle(grant.handle_id())
                .purpose(grant.purpose())
                .credential_version(grant.credential_version())
                .token(grant.fingerprint())
                .object(named, object_ref.as_deref())
                .attempt(call.attempt),
        )
    }
}

fn hubspot_key(key: &RecordKey) -> Key<'_> {
    Key {
        object_type: key.object_type.as_str(),
        id: key.id.as_str(),
        id_property: key.id_property.as_ref().map(PropertyName::as_str),
    }
}

fn names(names: &PropertyNames) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

fn values(values: &PropertyValues) -> BTreeMap<String, String> {
    values
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
        .collect()
}
