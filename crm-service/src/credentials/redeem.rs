//! Turns a handle into a grant: from memory while that is safe, else over the wire.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    grpc::{Caller, Holds},
    handle_token::HandleToken,
    id::{CallId, PortalId, RedeemerId},
    random::Random,
    tls::Identity,
};
use hubkeep_proto::credential::v1::{
    RedeemHandleRequest, redemption_service_client::RedemptionServiceClient,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    budget::{Budgets, Half},
    config::Config,
    ending::acknowledge,
    erasure::ErasureOrder,
    error::Error,
    feed,
    grant::Grant,
    memory::{Key, Memory},
    own_calls::OwnCalls,
    pulse::Pulse,
    refused::{Pass, RefusedToken, RefusedTokens},
    turns::Turns,
    wire::{self, Link},
};

/// How often a redemption is tried: again because the feed moved while it was under way, or because the replica that
/// was asked went away. It changes nothing, so repeating it is safe.
const ATTEMPTS: usize = 3;
/// How long a redemption of the same handle is waited for.
const TURN: Duration = Duration::from_secs(2);

/// The client of credential-service. Cheap to clone; the feed is followed until the last clone is gone.
#[derive(Clone, Debug)]
pub struct Credentials {
    link: Link,
    memory: Memory,
    turns: Turns,
    budgets: Budgets,
    own_calls: OwnCalls,
    refused: RefusedTokens,
    clock: SharedClock,
    config: Config,
    _feed: Arc<DropGuard>,
}

impl Credentials {
    /// Connects, by `identity` where this service has a certificate, and begins to follow the feed. With it come orders to
    /// erase a portal, which go to `orders`, and who is contained, which goes to `holds`.
    ///
    /// # Errors
    /// If the address cannot be one. That nobody answers there is no error yet.
    pub fn build(
        config: Config,
        identity: Option<&Identity>,
        clock: SharedClock,
        random: &dyn Random,
        orders: mpsc::UnboundedSender<ErasureOrder>,
        holds: Holds,
    ) -> Result<Self, Error> {
        holds.last_for(config.max_view_age);
        let link = Link::open(&config, identity)?;
        let memory = Memory::default();
        let stop = CancellationToken::new();
        let (applied, applying) = mpsc::unbounded_channel();
        let (done, ended) = watch::channel(0);
        let id = RedeemerId::make(&*clock, random).map_err(|error| Error::unavailable(error.to_string()))?;
        let own_calls = OwnCalls::new(config.max_view_age);
        let refused = RefusedTokens::new(clock.clone());
        let heard = feed::Heard {
            refused: refused.clone(),
            memory: memory.clone(),
            orders,
            holds,
            own_calls: own_calls.clone(),
            applied,
            pulse: Arc::new(Pulse::new(id, ended, clock.clone())),
            clock: clock.clone(),
        };
        tokio::spawn(acknowledge(applying, done, clock.clone()));
        tokio::spawn(feed::follow(link.clone(), heard, stop.clone()));
        Ok(Self {
            link,
            memory,
            turns: Turns::default(),
            budgets: Budgets::default(),
            own_calls,
            refused,
            clock,
            config,
            _feed: Arc::new(stop.drop_guard()),
        })
    }

    /// Whether credential-service is about to call HubSpot itself.
    pub fn own_calls(&self) -> OwnCalls {
        self.own_calls.clone()
    }

    pub(super) const fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn now(&self) -> Tick {
        self.clock.tick()
    }

    pub(super) fn applied_seq(&self) -> u64 {
        self.memory.applied_seq()
    }

    /// Has a grant that is not kept taken away by the feed, if it is revoked. Gives whether it may be used.
    pub(super) fn watch(&self, grant: &Arc<Grant>, as_of_seq: u64) -> bool {
        self.memory.watch(grant, as_of_seq)
    }

    /// The grant behind a handle, for the caller that presents it.
    ///
    /// # Errors
    /// If the handle gives no grant, or nobody can say whether it does.
    pub async fn redeem(
        &self,
        handle: &HandleToken,
        caller: &Caller,
        call_id: CallId,
        deadline: Tick,
    ) -> Result<Arc<Grant>, Error> {
        let key = Key::of(handle, caller);
        if let Some(grant) = self.recalled(&key) {
            return Ok(grant);
        }
        // Rare, and large: kept apart, so that what every call carries along stays small.
        let online = Box::pin(async {
            let soon = self.clock.tick().plus(TURN);
            // Where the one before takes long, it is not waited for.
            let _turn = self.clock.timeout_at(soon, self.turns.take(&key)).await;
            // Whoever had the turn before has the answer for all who waited.
            if let Some(grant) = self.recalled(&key) {
                return Ok(grant);
            }
            metrics::counter!("hubkeep_redemptions_total", "from" => "wire").increment(1);
            self.redeem_online(key.clone(), handle, (caller, call_id), None)
                .await
        });
        self.by(deadline, online).await
    }

    fn recalled(&self, key: &Key) -> Option<Arc<Grant>> {
        let (now, age) = (self.clock.tick(), self.config.max_view_age);
        let grant = self.memory.recall(key, now, age)?;
        metrics::counter!("hubkeep_redemptions_total", "from" => "memory").increment(1);
        Some(grant)
    }

    /// Redeems a handle again of whose budget too little of one half is left here, to be given more; or gives the same
    /// grant, if others have been given more meanwhile.
    ///
    /// # Errors
    /// As [`Credentials::redeem`]; [`Error::BudgetExhausted`] if there is no more.
    pub async fn redeem_for_more(
        &self,
        handle: &HandleToken,
        caller: &Caller,
        call_id: CallId,
        deadline: Tick,
        spent: (&Arc<Grant>, Half, u64),
    ) -> Result<Arc<Grant>, Error> {
        let (grant, half, needed) = spent;
        let more = async {
            let _turn = match grant.allowance() {
                Some(allowance) => Some(allowance.turn().await),
                None => None,
            };
            let unspent = grant.allowance().map(|allowance| allowance.purse().unspent());
            let there = unspent.is_some_and(|unspent| unspent.of(half) >= needed);
            if there {
                return Ok(grant.clone());
            }
            let again = self
                .redeem_online(Key::of(handle, caller), handle, (caller, call_id), None)
                .await?;
            // The little that is left does not suffice for all that is asked for at once.
            let more = again.allowance().map(|allowance| allowance.purse().unspent());
            if needed > 1 && more.map(|more| more.of(half)) <= unspent.map(|before| before.of(half)) {
                return Err(Error::BudgetExhausted(half));
            }
            Ok(again)
        };
        self.by(deadline, Box::pin(more)).await
    }

    pub(super) async fn by<T>(
        &self,
        deadline: Tick,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let answer = self.clock.timeout_at(deadline, work).await;
        answer.unwrap_or_else(|| Err(Error::unavailable("no answer before the deadline")))
    }

    /// Looks at a grant again after some time has passed, before anything is sent by it. Gives until when that may be
    /// sent.
    ///
    /// # Errors
    /// If the handle was revoked or has ended meanwhile, gives another token now, or nobody can say whether it was.
    pub fn confirm(&self, grant: &Grant) -> Result<Tick, Error> {
        let now = self.clock.tick();
        match self.memory.holds_until(grant, now, self.config.max_view_age) {
            None => Err(Error::Invalid),
            Some(until) if now >= until => Err(Error::Outdated),
            Some(_) if grant.is_superseded() || grant.token_is_over(now) => Err(Error::Superseded),
            Some(until) => Ok(until),
        }
    }

    /// Redeems a handle again whose token HubSpot refuses. Gives `None` if there is no other token: credential-service says so,
    /// or has said so since.
    ///
    /// # Errors
    /// As [`Credentials::redeem`].
    pub async fn redeem_instead(
        &self,
        handle: &HandleToken,
        caller: &Caller,
        call_id: CallId,
        deadline: Tick,
        refused: &Arc<Grant>,
    ) -> Result<Option<Arc<Grant>>, Error> {
        if !self.refused.may_be_another(refused) {
            return Ok(None);
        }
        let key = Key::of(handle, caller);
        let other = |grant: Arc<Grant>| (!grant.has_the_token_of(refused)).then_some(grant);
        let online = Box::pin(async {
            let soon = self.clock.tick().plus(TURN);
            let _turn = self.clock.timeout_at(soon, self.turns.take(&key)).await;
            if let Some(grant) = self.recalled(&key).and_then(other) {
                return Ok(Some(grant));
            }
            metrics::counter!("hubkeep_redemptions_total", "from" => "wire").increment(1);
            let again = self.redeem_online(key.clone(), handle, (caller, call_id), Some(refused));
            let grant = other(again.await?);
            self.refused.asked(refused, grant.is_some());
            Ok(grant)
        });
        self.by(deadline, online).await
    }

    /// Whether something may be sent by a grant's token by now.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] if HubSpot refuses it.
    pub fn may_send(&self, grant: &Grant) -> Result<(), Error> {
        self.refused.may_send(grant)
    }

    /// Lets an attempt through that is about to be sent by a grant's token.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] if HubSpot refuses it, and it is not time to see whether it still does.
    pub fn enter(&self, grant: &Arc<Grant>) -> Result<Pass, Error> {
        self.refused.enter(grant)
    }

    /// HubSpot refuses a grant's token. Of a consent it gives another: whoever comes next asks for it.
    pub fn forget_token_of(&self, grant: &Grant) {
        if grant.ends_by_itself() {
            self.memory.forget_token_of(grant);
        }
    }

    /// The tokens of a portal that HubSpot refuses, as far as this process has met them.
    pub fn refused_tokens(&self, portal: PortalId) -> Vec<RefusedToken> {
        self.refused.of(portal)
    }

    async fn redeem_online(
        &self,
        key: Key,
        handle: &HandleToken,
        (caller, call_id): (&Caller, CallId),
        refused: Option<&Grant>,
    ) -> Result<Arc<Grant>, Error> {
        let named = refused.map(|grant| grant.fingerprint.to_string());
        let resource = handle.presented_at();
        let presented_by = match resource {
            Some(_) => (String::new(), Vec::new()),
            None => (caller.name.to_string(), wire::thumbprint(caller)),
        };
        let mut why = Error::unavailable("the revocation feed kept moving");
        for _ in 0..ATTEMPTS {
            let mut client = RedemptionServiceClient::new(self.link.channel());
            let unspent = self.budgets.unspent(&key);
            let request = self.link.request(RedeemHandleRequest {
                handle: handle.expose().to_owned(),
                presented_by: presented_by.0.clone(),
                presented_thumbprint: presented_by.1.clone(),
                presented_resource: resource.map(ToString::to_string).unwrap_or_default(),
                seen_revocation_seq: self.memory.applied_seq(),
                call_id: call_id.to_string(),
                unspent_calls: unspent.calls,
                unspent_records: unspent.records,
                refused_token_fingerprint: named.clone().unwrap_or_default(),
            });
            // The lease runs from before the question, so that it cannot outlast what credential-service meant.
            let asked = self.clock.tick();
            let response = match client.redeem_handle(request).await {
                Ok(response) => response.into_inner(),
                // The next attempt connects anew, and to a replica that stays.
                Err(status) if wire::went_away(&status) => {
                    why = wire::refusal(&status);
                    continue;
                }
                Err(status) => match wire::refusal(&status) {
                    // Nothing is left to be given; but something was given to others here since the question was asked.
                    Error::BudgetExhausted(half) if self.budgets.unspent(&key).of(half) > 0 => {
                        why = Error::SliceSpent(half, 1);
                        continue;
                    }
                    refusal => return Err(refusal),
                },
            };
            let as_of_seq = response.revocation_seq;
            let budget = response.description.as_ref().and_then(|handle| handle.budget);
            let slice = response.slice;
            let mut grant = wire::grant(response, asked)?;
            grant.allowance = self.budgets.take_up(&key, budget, slice, [asked, grant.ends]);
            let grant = Arc::new(grant);
            if self
                .memory
                .keep(key.clone(), &grant, as_of_seq, self.clock.tick())
            {
                return Ok(grant);
            }
        }
        Err(why)
    }
}
