//! HubSpot's daily limit: known from HubSpot, shared with other apps, and over at midnight where the portal is.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::Operation;
use hubkeep_core::clock::{MockClock, SystemClock, Timestamp};
use hubkeep_proto::crm::v1::QuotaSource;
use hubkeep_tests::{
    AccountDetails, Allow, Crm, Fault, FaultRule, Handle, Hubkeep, Limits, Policy, Refused, Service, World,
    proto_entry, support::audit::Reader,
};
use jiff::{ToSpan as _, Zoned, tz::TimeZone};
use serde_json::json;
use tonic::Code;

const A: &str = "client-0001";
const MINUTE: Duration = Duration::from_secs(60);
/// What clocks may differ by.
const MARGIN: Duration = Duration::from_secs(30);
/// What onboarding takes of the day.
const ONBOARDING: u64 = 2;

/// A Hubkeep at a time and place, with so many calls a day.
struct Day {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
    crm: Crm,
    handle: Handle,
}

impl Day {
    /// Begins at this local time, which is to come.
    async fn at(start: &Zoned, calls: u64) -> Self {
        let mut world = World::of_portals(1).limits(&Limits {
            daily: calls,
            ..Limits::default()
        });
        // The simulator's day ends where this day does: it does not follow summer time.
        let end = start
            .tomorrow()
            .expect("in range")
            .start_of_day()
            .expect("in range");
        world.portals[0].details = AccountDetails {
            time_zone: start.time_zone().iana_name().expect("has a name").to_owned(),
            utc_offset_milliseconds: i64::from(end.offset().seconds()) * 1_000,
            ..AccountDetails::default()
        };
        let begin = start.timestamp().as_microsecond();
        let clock = MockClock::at(Timestamp::from_micros(begin));
        let setup = Hubkeep::over(world).clock(clock.clone());
        let setup = setup.crm(|config| config.quota.only_app_in = [A.to_owned()].into());
        let hubkeep = setup.start().await;
        let ahead = u64::try_from(begin - hubkeep.hubspot.now_micros()).expect("the time is to come");
        hubkeep.hubspot.advance_time(Duration::from_micros(ahead));
        hubkeep.onboard_all().await;
        let (crm, handle) = caller(&hubkeep).await;
        Self {
            hubkeep,
            clock,
            crm,
            handle,
        }
    }

    async fn in_kolkata(calls: u64) -> Self {
        Self::at(&noon("Asia/Kolkata"), calls).await
    }

    /// So much later, on every clock; with a new handle, for the old one is over by then.
    async fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
        (self.crm, self.handle) = caller(&self.hubkeep).await;
    }

    async fn get(&self) -> Result<(), Refused> {
        let answer = self.crm.get("contacts", "101").await;
        answer.map(drop).map_err(|status| Refused::of(&status))
    }

    /// A call is refused for the daily limit, and not sent. Returns when there is room.
    async fn is_used_up(&self) -> Duration {
        let before = self.hubkeep.journal().len();
        let refused = self.get().await.expect_err("the day is used up");
        assert_eq!(refused.said(), (Code::ResourceExhausted, "BUDGET_EXHAUSTED"));
        assert_eq!(refused.metadata["bucket"], "daily");
        assert!(refused.has_quota_failure, "{refused:?}");
        assert_eq!(self.hubkeep.journal().len(), before, "nothing was sent");
        refused.retry_after.expect("it says when")
    }

    fn consumed_by_another_app(&self, calls: u64) {
        let portal_id = self.hubkeep.portal_id(A);
        self.hubkeep
            .hubspot
            .consume_daily(portal_id, calls)
            .expect("known");
    }

    fn refusals_by_hubspot(&self) -> usize {
        let journal = self.hubkeep.journal();
        journal.iter().filter(|call| call.status == Some(429)).count()
    }
}

async fn caller(hubkeep: &Hubkeep) -> (Crm, Handle) {
    let allowed = [Allow::Get, Allow::Search, Allow::Quota];
    let handle = hubkeep.handle(A).allow(allowed).issue().await;
    let crm = hubkeep
        .crm_as("sync")
        .with(&handle)
        .within(Duration::from_secs(2));
    (crm, handle)
}

fn now(zone: &str) -> Zoned {
    let micros = SystemClock::shared().now().as_micros();
    let now = jiff::Timestamp::from_microsecond(micros).expect("in range");
    now.to_zoned(TimeZone::get(zone).expect("known"))
}

/// Noon of the day after tomorrow.
fn noon(zone: &str) -> Zoned {
    let day = now(zone).checked_add(2.days()).expect("in range");
    day.start_of_day()
        .expect("in range")
        .checked_add(12.hours())
        .expect("in range")
}

fn hours(day: &Zoned) -> Duration {
    let begin = day.start_of_day().expect("in range");
    let end = day
        .tomorrow()
        .expect("in range")
        .start_of_day()
        .expect("in range");
    begin.duration_until(&end).unsigned_abs()
}

/// The beginning of the next day in this zone that is so many hours long.
fn next_day_of(zone: &str, wanted: u64) -> Zoned {
    let mut day = now(zone)
        .tomorrow()
        .expect("in range")
        .start_of_day()
        .expect("in range");
    while hours(&day) != Duration::from_secs(wanted * 3_600) {
        day = day
            .tomorrow()
            .expect("in range")
            .start_of_day()
            .expect("in range");
    }
    day
}

#[tokio::test]
async fn what_the_headers_say_is_left_is_used_and_not_one_call_more() {
    let day = Day::in_kolkata(ONBOARDING + 5).await;
    for _ in 0..5 {
        day.get().await.expect("left");
    }
    assert_eq!(day.is_used_up().await, 12 * 60 * MINUTE + MARGIN);
    assert_eq!(day.refusals_by_hubspot(), 0);
}

#[tokio::test]
async fn calls_of_another_app_count_too() {
    let day = Day::in_kolkata(1_000).await;
    day.get().await.expect("left");
    day.consumed_by_another_app(987);
    day.get().await.expect("nobody knows yet");
    // 10 of 1,000 are left for others.
    assert_eq!(day.is_used_up().await, 12 * 60 * MINUTE + MARGIN);
    assert_eq!(day.refusals_by_hubspot(), 0);
}

#[tokio::test]
async fn after_midnight_where_the_portal_is_the_whole_limit_is_there_again() {
    let mut day = Day::in_kolkata(ONBOARDING + 5).await;
    for _ in 0..5 {
        day.get().await.expect("left");
    }
    let wait = day.is_used_up().await;
    day.advance(wait - MINUTE).await;
    // So late at night a probe may go out, and HubSpot refuses it.
    let _ = day.get().await;
    let still = day.is_used_up().await;
    assert!(still <= MINUTE, "{still:?}");
    day.advance(still).await;
    day.get().await.expect("a new day");
}

#[tokio::test]
async fn a_day_on_which_the_clocks_change_ends_at_its_own_midnight() {
    for length in [23, 25] {
        let begin = next_day_of("America/New_York", length);
        let start = begin.checked_add(30.minutes()).expect("in range");
        let mut day = Day::at(&start, ONBOARDING + 1).await;
        day.get().await.expect("left");
        let wait = Duration::from_secs(length * 3_600) - 30 * MINUTE + MARGIN;
        assert_eq!(day.is_used_up().await, wait, "{begin}");
        day.advance(wait).await;
        day.get().await.expect("a new day");
        assert_eq!(day.refusals_by_hubspot(), 0);
    }
}

#[tokio::test]
async fn after_a_refusal_for_the_day_one_call_in_ten_minutes_looks_whether_it_still_holds() {
    let mut day = Day::in_kolkata(1_000).await;
    let fault = Fault::RateLimited {
        policy: Policy::Daily,
        headers: false,
        retry_after: None,
    };
    day.hubkeep.hubspot.inject(FaultRule::new(fault).times(1));
    let refused = day.get().await.expect_err("HubSpot refuses");
    assert_eq!(refused.said(), (Code::ResourceExhausted, "HUBSPOT_RATE_LIMITED"));
    let to_midnight = 12 * 60 * MINUTE + MARGIN;
    assert_eq!(
        (refused.retry_after, refused.has_quota_failure),
        (Some(to_midnight), true)
    );
    assert_eq!(day.is_used_up().await, to_midnight);
    day.advance(10 * MINUTE).await;
    day.get().await.expect("it looks, and HubSpot answers");
    day.get().await.expect("HubSpot has said that there is room");
}

#[tokio::test]
async fn where_no_header_says_what_is_left_hubspot_is_asked() {
    let day = Day::in_kolkata(1_000).await;
    let told = day
        .hubkeep
        .quota(Reader::Holder(&day.handle), A)
        .await
        .expect("allowed");
    let daily = told.daily.expect("told");
    assert_eq!(
        daily.source(),
        QuotaSource::Header,
        "of the answer to the question"
    );
    assert_eq!(
        (daily.limit, daily.used, daily.left),
        (Some(1_000), Some(3), Some(987))
    );

    day.clock.advance(4 * MINUTE);
    let usage = json!({ "results": [{
        "name": "private-apps-api-calls-daily", "usageLimit": 1_000, "currentUsage": 400, "fetchStatus": "SUCCESS",
    }]});
    let fault = Fault::Answer {
        status: 200,
        body: usage,
    };
    day.hubkeep
        .hubspot
        .inject(FaultRule::new(fault).path("/account-info/"));
    let told = day
        .hubkeep
        .quota(Reader::Holder(&day.handle), A)
        .await
        .expect("allowed");
    assert_eq!(
        told.daily.expect("told").used,
        Some(3),
        "what is known is not old yet"
    );
}

#[tokio::test]
async fn what_the_usage_endpoint_says_is_taken_up() {
    let day = Day::in_kolkata(1_000).await;
    let usage = json!({ "results": [{
        "name": "private-apps-api-calls-daily", "usageLimit": 1_000, "currentUsage": 995, "fetchStatus": "SUCCESS",
    }]});
    let fault = Fault::Answer {
        status: 200,
        body: usage,
    };
    day.hubkeep
        .hubspot
        .inject(FaultRule::new(fault).path("/account-info/"));
    let told = day
        .hubkeep
        .quota(Reader::Holder(&day.handle), A)
        .await
        .expect("allowed");
    let daily = told.daily.expect("told");
    assert_eq!(daily.source(), QuotaSource::Usage);
    assert_eq!((daily.used, daily.left), (Some(995), Some(0)));
    assert!(daily.paused_until_time.is_some());
    day.is_used_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_used_of_the_day_is_told_though_nobody_called_here_meanwhile() {
    let mut day = Day::in_kolkata(10_000).await;
    day.get().await.expect("there is room");
    day.consumed_by_another_app(40);
    let expected = Some(40 + ONBOARDING);
    for _ in 0..50 {
        day.advance(MINUTE / 2).await;
        day.get().await.expect("there is room");
        let told = day.hubkeep.quota(Reader::Holder(&day.handle), A).await;
        let others = told.expect("allowed").daily.expect("told").others_count;
        assert!(others <= expected, "{others:?}: never too many");
        if others == expected {
            return;
        }
    }
    panic!("it was never told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_call_while_nobody_does_here_is_on_record_where_there_is_no_other_app() {
    let mut day = Day::in_kolkata(10_000).await;
    day.get().await.expect("there is room");
    day.consumed_by_another_app(140);
    for _ in 0..50 {
        day.advance(MINUTE / 2).await;
        day.get().await.expect("there is room");
        let events = day.hubkeep.audit_events(Service::Crm).await;
        let entries = events.iter().map(proto_entry);
        let mut noted = entries.filter(|entry| entry.operation() == Operation::QuotaUnaccounted);
        if let Some(entry) = noted.next() {
            let told = 140 + ONBOARDING - 100;
            assert_eq!(entry.portal_id, day.hubkeep.portal_id(A));
            assert_eq!(
                entry.subject,
                format!("{told} calls of today that are not of this deployment")
            );
            return;
        }
    }
    panic!("it was never noted");
}
