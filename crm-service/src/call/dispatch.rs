//! Puts the call into HubSpot's words, and hands it to the client that records and sends it.

mod many;
mod related;
mod schema;
mod shared;

use std::collections::BTreeMap;

use hubkeep_audit_log::Draft;
use hubkeep_hubspot::{
    Answer as HubSpotAnswer, Ask as HubSpotAsk, Client, Effect, Lease, RecordRefs, Request, Row, Share,
    account,
    associations::Link,
    objects::{self, Key},
    owners,
};

use super::{
    Admitted, Call, Counted, End, Error, ObjectRefs, Reply, payload::payload_of, record_denial::recorded_as,
    row_error,
};
use crate::{
    crm::{Answer, Ask, OwnerKey, PropertyName, PropertyNames, PropertyValues, RecordKey, RowError, Wanted},
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
                wanted,
                archived,
            } => {
                let Words {
                    properties,
                    history,
                    associated,
                } = Words::of(wanted);
                let wanted = objects::Wanted {
                    properties: &properties,
                    history: &history,
                    archived: *archived,
                };
                let ask = objects::get_with(version, &hubspot_key(key), &wanted, &associated);
                self.send(admitted, ask, Answer::Object).await
            }
            Ask::ListObjects {
                object_type,
                wanted,
                limit,
                after,
                archived,
            } => {
                let Words {
                    properties,
                    history,
                    associated,
                } = Words::of(wanted);
                let wanted = objects::Wanted {
                    properties: &properties,
                    history: &history,
                    archived: *archived,
                };
                let (name, after) = (object_type.as_str(), after.as_deref());
                let ask = objects::list_with(version, name, &wanted, &associated, *limit, after);
                self.send(admitted, ask, Answer::Objects).await
            }
            Ask::SearchObjects(search) => {
                let ask = objects::search(version, search.object_type.as_str(), &search.to_hubspot());
                self.send(admitted, ask, Answer::Objects).await
            }
            Ask::CreateObject {
                object_type,
                values: new,
                associations,
            } => {
                let links: Vec<Link> = associations.iter().map(related::link).collect();
                let ask = objects::create_with(version, object_type.as_str(), &values(new), &links);
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
            Ask::MergeObjects {
                object_type,
                primary,
                merged,
            } => {
                let ask = objects::merge(version, object_type.as_str(), primary.as_str(), merged.as_str());
                self.send(admitted, ask, Answer::Object).await
            }
            Ask::EraseContact { key } => {
                let ask = objects::gdpr_delete(version, &hubspot_key(key));
                self.send(admitted, ask, |()| Answer::Done).await
            }
            Ask::Batch(batch) => self.many(admitted, version, batch).await,
            Ask::Association(ask) => self.association(admitted, version, ask).await,
            Ask::Schema(ask) => self.schema(admitted, version, ask).await,
            Ask::ListOwners {
                email,
                limit,
                after,
                archived,
            } => {
                let ask = owners::list(version, email.as_deref(), *limit, after.as_deref(), *archived);
                self.send(admitted, ask, Answer::Owners).await
            }
            Ask::GetOwner { key, archived } => {
                let ask = match key {
                    OwnerKey::Owner(id) => owners::get(version, id.as_str(), *archived),
                    OwnerKey::User(id) => owners::of_user(version, id.as_str(), *archived),
                };
                self.send(admitted, ask, Answer::Owner).await
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

impl<'a> Sending<'a> {
    fn request<T>(self, ask: HubSpotAsk<T>, draft: Draft, refs: RecordRefs) -> Request<'a, T> {
        Request {
            ask,
            token: self.call.authority.grant().token(),
            draft,
            deadline: self.call.context.deadline,
            lease: self.lease.clone(),
            refs,
        }
    }
}

impl Dispatch {
    async fn send<T: Send + Sync>(
        &self,
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
        answered: impl FnOnce(T) -> Answer,
    ) -> Result<Reply, Error> {
        self.send_shared(admitted, ask, |_, _| Share::Whole, answered)
            .await
    }

    /// The same, where `share` says what of the answer is whose, if the call is made for several.
    async fn send_shared<T: Send + Sync>(
        &self,
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
        share: impl Fn(&T, usize) -> Share + Sync,
        answered: impl FnOnce(T) -> Answer,
    ) -> Result<Reply, Error> {
        let Some(company) = &admitted.call.company else {
            let came = self.exchange(admitted, ask).await?;
            return Ok(reply(admitted.call, came, answered));
        };
        let came = self.exchange_for(company, admitted, ask, share).await?;
        let first = came.outcomes.first().copied().flatten();
        let own = HubSpotAnswer {
            value: came.value,
            outcome: first.ok_or(Error::OutcomeNotDurable)?,
            receipt: None,
            limits: came.limits,
        };
        Ok(Reply {
            outcomes: came.outcomes,
            ..reply(admitted.call, own, answered)
        })
    }

    /// Sends what HubSpot answers as a batch of one, which may be refused.
    async fn send_row<T>(
        &self,
        admitted: Sending<'_>,
        ask: HubSpotAsk<Row<T>>,
        answered: impl FnOnce(T) -> Answer,
    ) -> Result<Reply, Error> {
        let call = admitted.call;
        let HubSpotAnswer {
            value,
            outcome,
            receipt,
            limits,
        } = self.exchange(admitted, ask).await?;
        match value {
            Ok(value) => {
                let own = HubSpotAnswer {
                    value,
                    outcome,
                    receipt,
                    limits,
                };
                Ok(reply(call, own, answered))
            }
            Err(refusal) => {
                let refused = RowError::HubSpot(refusal);
                let error = row_error(refused, &call.ask.object_type(), Effect::Write, call.call_id);
                Err(error.with_receipt(receipt))
            }
        }
    }

    async fn exchange<T>(
        &self,
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
    ) -> Result<HubSpotAnswer<T>, Error> {
        let Sending { call, slot, .. } = admitted;
        let request = admitted.request(ask, self.draft(call).await?, self.refs(call).await?);
        let answer = self.hubspot.call_noting(request, |at| {
            call.authority.note_sent();
            slot.sent(at);
        });
        answer.await.map_err(|error| Error::HubSpot {
            error,
            object_type: call.ask.object_type(),
        })
    }

    /// What the outcome of this attempt calls the records that come back.
    async fn refs(&self, call: &Call<Counted>) -> Result<RecordRefs, Error> {
        if matches!(
            call.ask,
            Ask::ReadAccount | Ask::ListOwners { .. } | Ask::GetOwner { .. } | Ask::Schema(_)
        ) {
            return Ok(RecordRefs::default());
        }
        let portal = call.authority.grant().portal().portal_id();
        let of = self.object_refs.of_many(portal, &call.ask.object_type()).await?;
        let named = call.ask.record_id().map(|id| id.as_str().to_owned());
        let others = call.ask.other_records().into_iter();
        let others = others.map(|id| id.as_str().to_owned()).collect();
        let refs = RecordRefs::new(named, of);
        Ok(match call.ask {
            Ask::MergeObjects { .. } => refs.with(others),
            _ => refs.asked(others),
        })
    }

    /// What the entries of this attempt say.
    async fn draft(&self, call: &Call<Counted>) -> Result<Draft, Error> {
        let grant = call.authority.grant();
        // The account is no record: its entries name no type.
        let object_type = call.ask.object_type();
        let named = match &call.ask {
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
        let portal_id = grant.portal().portal_id();
        let actor_ref = self.object_refs.of_actor(portal_id, grant.end_user()).await?;
        let draft = Draft::portal(grant.portal(), recorded_as(&call.ask), call.call_id)
            .context(&call.context)
            .actor(actor_ref.as_deref())
            .handle(grant.handle_id())
            .purpose(grant.purpose())
            .credential_version(grant.credential_version())
            .token(grant.fingerprint())
            .object(named, object_ref.as_deref())
            .attempt(call.attempt);
        let draft = match self.hubspot.seals_payloads() {
            true => draft.payload(payload_of(call)),
            false => draft,
        };
        // By this it is known which writes have a row in the account of writes.
        Ok(match &call.again {
            Some(again) if !call.ask.is_read() => draft.subject(&again.request_id.to_string()),
            _ => draft,
        })
    }
}

/// What goes up again.
fn reply<T>(call: &Call<Counted>, came: HubSpotAnswer<T>, answered: impl FnOnce(T) -> Answer) -> Reply {
    Reply {
        answer: answered(came.value),
        portal: call.authority.grant().portal().clone(),
        call_id: call.call_id,
        outcome: came.outcome,
        receipts: came.receipt.into_iter().collect(),
        outcomes: Vec::new(),
        attempts: 1,
        limits: came.limits,
        kept: false,
    }
}

fn hubspot_key(key: &RecordKey) -> Key<'_> {
    Key {
        object_type: key.object_type.as_str(),
        id: key.id.as_str(),
        id_property: key.id_property.as_ref().map(PropertyName::as_str),
    }
}

/// What is wanted of records, in HubSpot's words.
struct Words {
    properties: Vec<String>,
    history: Vec<String>,
    associated: Vec<String>,
}

impl Words {
    fn of(wanted: &Wanted) -> Self {
        Self {
            properties: names(&wanted.properties),
            history: names(&wanted.history),
            associated: wanted.associated.iter().map(ToString::to_string).collect(),
        }
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
