//! A read that is made for several calls.

use hubkeep_hubspot::{Ask as HubSpotAsk, Party, Share, Shared};

use super::{Dispatch, Sending};
use crate::call::{Call, Error, coalesce::Company};

impl Dispatch {
    /// Sends a read that is made for several calls, each with entries of its own, as long as they wait. Gives where their
    /// outcomes stand in the order of the calls.
    pub(super) async fn exchange_for<T: Send + Sync>(
        &self,
        company: &Company,
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
        share: impl Fn(&T, usize) -> Share + Sync,
    ) -> Result<Shared<T>, Error> {
        let aboard = company.board(admitted.call.attempt).ok_or(Error::TooLate)?;
        let came = self
            .exchange_aboard((company, &aboard), admitted, ask, share)
            .await;
        match came {
            Ok(came) => {
                let mut outcomes = vec![None; company.calls.len()];
                for (number, outcome) in aboard.into_iter().zip(came.outcomes) {
                    if let Some(place) = outcomes.get_mut(number) {
                        *place = outcome;
                    }
                }
                Ok(Shared { outcomes, ..came })
            }
            Err(error) => {
                company.is_back(Some(&error));
                Err(error)
            }
        }
    }

    /// The same for those of them who still wait.
    async fn exchange_aboard<T: Send + Sync>(
        &self,
        (company, aboard): (&Company, &[usize]),
        admitted: Sending<'_>,
        ask: HubSpotAsk<T>,
        share: impl Fn(&T, usize) -> Share + Sync,
    ) -> Result<Shared<T>, Error> {
        let Sending { call, slot, .. } = admitted;
        let physical = call.call_id;
        let mut drafts = Vec::with_capacity(aboard.len());
        for (_, each) in aboard.iter().filter_map(|number| company.calls.get(*number)) {
            let each = Call {
                attempt: call.attempt,
                ..each.clone()
            };
            let draft = self.draft(&each).await?.physical(physical);
            drafts.push((draft, each.context.deadline));
        }
        let mut drafts = drafts.into_iter();
        let (own, _) = drafts.next().ok_or(Error::WrongAnswer)?;
        let request = admitted.request(ask, own, self.refs(call).await?);
        let number_of = |place: usize| aboard.get(place).copied().unwrap_or(usize::MAX);
        let party = Party {
            others: drafts.collect(),
            unwanted: &company.unwanted,
            share: |value: &T, place| share(value, number_of(place)),
            left: |place| company.leaves(number_of(place)),
        };
        let sent = |at| {
            call.authority.note_sent();
            company.note_sent();
            slot.sent(at);
        };
        let answer = self.hubspot.call_shared(request, party, sent);
        answer.await.map_err(|error| Error::HubSpot {
            error,
            object_type: call.ask.object_type(),
        })
    }
}
