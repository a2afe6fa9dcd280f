//! The calls of a day.

use hubkeep_hubspot::DailyUsage;

use super::*;

#[tokio::test]
async fn a_used_up_day_refuses_until_midnight_where_the_portal_is() {
    let (clock, quota) = quota();
    hear(&quota, &left_today(50));
    let refused = call(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("50 are left for others");
    let to_midnight = 60 * MINUTE + 30 * SECOND;
    assert_eq!(lack(&refused), (Bucket::Daily, to_midnight));
    assert!(refused.quota_violation().is_some());
    let day = quota.state().daily;
    assert_eq!(
        (day.left, day.used, day.known),
        (Some(0), Some(9_950), Known::Header)
    );
    assert_eq!(day.paused_until, Some(clock.now().plus(to_midnight)));

    clock.advance(to_midnight);
    call(&clock, &quota, Bucket::Burst).await.expect("a new day");
    let day = quota.state().daily;
    assert_eq!((day.left, day.known), (Some(9_949), Known::Assumed));
}

#[tokio::test]
async fn between_two_truths_our_own_calls_are_counted_down() {
    let (clock, quota) = quota();
    quota.learn_usage(DailyUsage {
        limit: 10_000,
        used: 9_947,
    });
    for _ in 0..3 {
        call(&clock, &quota, Bucket::Burst)
            .await
            .expect("53 less 50 are left");
    }
    call(&clock, &quota, Bucket::Burst).await.expect_err("used up");
    assert_eq!(quota.state().daily.known, Known::Usage);
}

#[tokio::test]
async fn calls_under_way_are_taken_off_what_hubspot_says() {
    let (clock, quota) = quota();
    is_known(&quota);
    let under_way = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    let answered = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    for slot in [&under_way, &answered] {
        slot.sent(clock.tick());
    }
    hear(&quota, &left_today(1_000));
    drop(answered);
    assert_eq!(
        quota.state().daily.used,
        Some(9_001),
        "HubSpot may not have counted the other one yet"
    );
    drop(under_way);
}

#[tokio::test]
async fn answers_that_are_heard_in_another_order_than_hubspot_gave_them_make_no_more_of_the_day() {
    let (clock, quota) = quota();
    is_known(&quota);
    hear(&quota, &left_today(1_000));
    let mut under_way = Vec::new();
    for _ in 0..20 {
        let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
        slot.sent(clock.tick());
        under_way.push(slot);
    }
    for (nth, slot) in (0..).zip(under_way) {
        slot.learn(&left_today(980 + nth));
        drop(slot);
        let used = quota.state().daily.used;
        assert!(used >= Some(9_020), "the last was heard first: {used:?}");
    }
    assert_eq!(quota.state().daily.used, Some(9_020));
    let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    slot.sent(clock.tick());
    slot.learn(&left_today(5_000));
    assert_eq!(
        quota.state().daily.used,
        Some(5_000),
        "there is more than there was"
    );
}

#[tokio::test]
async fn a_call_that_the_day_may_have_room_for_waits_for_the_answers_that_tell() {
    let (clock, quota) = quota();
    is_known(&quota);
    hear(&quota, &left_today(70));
    let mut under_way = Vec::new();
    for _ in 0..15 {
        let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
        slot.sent(clock.tick());
        under_way.push(slot);
    }
    // It was counted last: 55 are left, and 50 of these for others. That is not known before all have ended.
    let last = under_way.split_off(1);
    under_way[0].learn(&left_today(55));
    drop(under_way);
    assert_eq!(quota.state().daily.left, Some(0));
    let waiting = pay(&quota, Bucket::Burst, clock.tick().plus(SECOND));
    let answers = async {
        tokio::task::yield_now().await;
        for (nth, slot) in (1..).zip(last) {
            slot.learn(&left_today(55 + nth));
        }
    };
    let (paid, ()) = tokio::join!(waiting, answers);
    drop(paid.expect("there was room"));
    assert_eq!(quota.state().daily.left, Some(5));
}

#[tokio::test]
async fn an_answer_from_before_hubspot_refused_for_the_day_opens_nothing() {
    let (clock, quota) = quota();
    is_known(&quota);
    let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("room");
    slot.sent(clock.tick());
    quota.refused(&App::default(), Bucket::Daily, None);
    slot.learn(&left_today(100));
    assert_eq!(quota.state().daily.left, Some(0));
}

#[tokio::test]
async fn a_used_up_day_is_probed_by_one_call_each_ten_minutes() {
    let (clock, quota) = quota();
    assert_eq!(
        quota.refused(&App::default(), Bucket::Burst.of_policy("DAILY"), None),
        60 * MINUTE + 30 * SECOND
    );
    clock.advance(9 * MINUTE);
    call(&clock, &quota, Bucket::Burst).await.expect_err("used up");
    clock.advance(MINUTE);
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("one is let through");
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect_err("but one only");
    clock.advance(10 * MINUTE);
    let slot = pay(&quota, Bucket::Burst, clock.tick()).await.expect("the next");
    hear(&quota, &left_today(5_000));
    drop(slot);
    call(&clock, &quota, Bucket::Burst)
        .await
        .expect("the limit was raised");
}

#[tokio::test]
async fn where_the_time_zone_is_not_known_a_used_up_day_lasts_24_hours() {
    let clock = MockClock::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT));
    let quota = Quota::new(Config::default(), clock.clone()).of(&proven(42), "Nowhere/AtAll");
    let day = 24 * 60 * MINUTE;
    assert_eq!(quota.refused(&App::default(), Bucket::Daily, None), day);
    assert_eq!(quota.state().time_zone, "");
    clock.advance(day);
    call(&clock, &quota, Bucket::Burst).await.expect("a new day");
}

#[tokio::test]
async fn hubspot_is_worth_a_question_after_a_hundred_silent_answers_once_in_five_minutes() {
    let (clock, quota) = quota();
    assert!(quota.is_stale() && !quota.is_worth_a_question());
    for _ in 0..100 {
        while call(&clock, &quota, Bucket::Search).await.is_err() {
            clock.advance(SECOND);
        }
    }
    assert!(quota.is_worth_a_question());
    assert!(!quota.is_worth_a_question(), "the question is under way");
    hear(&quota, &left_today(5_000));
    clock.advance(6 * MINUTE);
    assert!(
        quota.is_stale() && !quota.is_worth_a_question(),
        "hardly anything was used"
    );
}
