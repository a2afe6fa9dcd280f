use hubkeep_core::{
    clock::{Clock as _, MockClock},
    id::HandleId,
    random::SystemRandom,
};
use hubkeep_proto::credential::v1::{Handle, HandleScope, RedeemHandleResponse};

use super::*;
use crate::credentials::wire;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    clock: Arc<MockClock>,
    tokens: RefusedTokens,
}

/// What is redeemed for portal 42: a token of this fingerprint and version, which ends by itself if it is a consent's.
struct Given(&'static str, u64, bool);

impl Bench {
    fn new() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_000_000));
        let tokens = RefusedTokens::new(clock.clone());
        Self { clock, tokens }
    }

    fn grant(&self, Given(fingerprint, credential_version, is_consent): Given) -> Arc<Grant> {
        let length = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let id = HandleId::make(&*self.clock, &*SystemRandom::shared()).expect("random");
        let response = RedeemHandleResponse {
            description: Some(Handle {
                handle_id: id.to_string(),
                client_slug: "acme".to_owned(),
                portal_id: 42,
                caller: "sync".to_owned(),
                scope: Some(HandleScope::default()),
                purpose_code: "test".to_owned(),
                ..Handle::default()
            }),
            credential_version,
            token_fingerprint: fingerprint.to_owned(),
            keep_for: length(60),
            time_left: length(300),
            token_time_left: if is_consent { length(1_800) } else { None },
            ..RedeemHandleResponse::default()
        };
        Arc::new(wire::grant(response, self.clock.tick()).expect("complete"))
    }

    /// A call goes through, a moment passes, and it ends with this word.
    fn call(&self, grant: &Arc<Grant>, word: Word) {
        let pass = self.tokens.enter(grant).expect("is let through");
        self.clock.advance(Duration::from_millis(1));
        pass.ended(word);
    }

    fn is_shut(&self, grant: &Arc<Grant>) -> bool {
        let shut = self.tokens.enter(grant).is_err();
        assert_eq!(self.tokens.may_send(grant).is_err(), shut, "both say the same");
        shut
    }
}

#[test]
fn a_refused_token_is_tried_after_5_s_and_then_once_a_minute_until_it_is_accepted() {
    let bench = Bench::new();
    let grant = bench.grant(Given("a", 1, false));
    bench.call(&grant, Word::Refuses);
    assert!(bench.is_shut(&grant));
    bench.clock.advance(5 * SECOND - Duration::from_millis(1));
    assert!(bench.is_shut(&grant));
    for _ in 0..3 {
        bench.clock.advance(Duration::from_millis(1));
        bench.call(&grant, Word::Refuses);
        bench.clock.advance(60 * SECOND - Duration::from_millis(1));
        assert!(bench.is_shut(&grant));
    }
    bench.clock.advance(Duration::from_millis(1));
    bench.call(&grant, Word::Accepts);
    assert!(!bench.is_shut(&grant));
    assert_eq!(bench.tokens.of(grant.portal().portal_id()), []);
}

#[test]
fn one_is_let_through_at_a_time_and_one_that_shows_nothing_or_is_lost_makes_room_for_the_next() {
    let bench = Bench::new();
    let grant = bench.grant(Given("a", 1, false));
    bench.call(&grant, Word::Refuses);
    bench.clock.advance(5 * SECOND);
    let trial = bench.tokens.enter(&grant).expect("the first");
    assert!(bench.is_shut(&grant), "the second");
    trial.ended(Word::Nothing);
    let trial = bench.tokens.enter(&grant).expect("the next");
    assert!(bench.is_shut(&grant));
    drop(trial);
    assert!(bench.tokens.enter(&grant).is_ok());
}

#[test]
fn what_was_sent_before_the_refused_call_lifts_nothing_and_what_was_sent_after_it_does() {
    let bench = Bench::new();
    let grant = bench.grant(Given("a", 1, false));
    let before = bench.tokens.enter(&grant).expect("let through");
    bench.clock.advance(SECOND);
    let refused = bench.tokens.enter(&grant).expect("let through");
    bench.clock.advance(SECOND);
    let after = bench.tokens.enter(&grant).expect("let through");
    refused.ended(Word::Refuses);
    before.ended(Word::Accepts);
    assert!(bench.is_shut(&grant));
    after.ended(Word::Accepts);
    assert!(!bench.is_shut(&grant), "a single slip of HubSpot's");
}

#[test]
fn another_credential_of_the_portal_and_what_takes_its_place_are_not_concerned() {
    let bench = Bench::new();
    let (old, other) = (
        bench.grant(Given("a", 1, false)),
        bench.grant(Given("b", 2, false)),
    );
    bench.call(&old, Word::Refuses);
    assert!(bench.is_shut(&old) && !bench.is_shut(&other));
    // The same token, put anew.
    assert!(!bench.is_shut(&bench.grant(Given("a", 3, false))));
    let portal = old.portal().portal_id();
    assert_eq!(bench.tokens.of(portal).len(), 1);
    bench.tokens.replaced(portal, 1);
    assert!(bench.is_shut(&old), "nothing newer");
    bench.tokens.replaced(portal, 2);
    assert!(!bench.is_shut(&old));
}

#[test]
fn another_token_is_asked_for_where_what_is_known_may_be_out_of_date_and_of_a_consent_again_after_a_second() {
    for is_consent in [false, true] {
        let bench = Bench::new();
        let grant = bench.grant(Given("a", 1, is_consent));
        bench.call(&grant, Word::Refuses);
        assert!(bench.tokens.may_be_another(&grant));
        bench.clock.advance(SECOND);
        let again = bench.grant(Given("a", 1, is_consent));
        bench.tokens.asked(&grant, false);
        assert!(!bench.tokens.may_be_another(&again));
        assert!(
            bench.tokens.may_be_another(&grant),
            "it was given before HubSpot refused it"
        );
        bench.clock.advance(SECOND);
        assert_eq!(bench.tokens.may_be_another(&again), is_consent);
    }
}

#[test]
fn a_token_that_was_replaced_is_not_tried_any_more_and_not_told() {
    let bench = Bench::new();
    let grant = bench.grant(Given("a", 1, true));
    bench.call(&grant, Word::Refuses);
    bench.tokens.asked(&grant, true);
    bench.clock.advance(600 * SECOND);
    assert!(bench.is_shut(&grant));
    assert_eq!(bench.tokens.of(grant.portal().portal_id()), []);
}

#[test]
fn a_token_that_took_the_place_of_another_for_one_handle_is_tried_for_those_that_have_no_other() {
    let bench = Bench::new();
    let grant = bench.grant(Given("a", 1, false));
    bench.call(&grant, Word::Refuses);
    bench.tokens.asked(&grant, true);
    bench.tokens.asked(&grant, false);
    assert_eq!(bench.tokens.of(grant.portal().portal_id()).len(), 1);
    bench.clock.advance(5 * SECOND);
    bench.call(&grant, Word::Accepts);
    assert!(!bench.is_shut(&grant));
}
