//! Reads of contacts are counted for each person on whose behalf a caller asks.

use super::*;

#[tokio::test]
async fn many_people_behind_one_caller_fire_nothing_that_none_of_them_has_done_alone() {
    for place in Place::both() {
        let (_, shared) = mock();
        let replica = Replica::start(&place, &shared).await;
        for person in ["ann", "bob", "eve"] {
            replica.reads_for(1, "assistant", Some(person), 60).await;
        }
        assert_eq!(replica.found().await, [], "sixty each");
        replica.reads_for(1, "assistant", Some("eve"), 41).await;
        assert_eq!(replica.found().await, [reads_of(1, "assistant")], "eve's");
        let all = replica.all().await;
        let alert = all.iter().find(|alert| alert.portal_id == 1).expect("kept");
        assert_eq!(alert.actor_ref, "eve");
        replica.stop().await;

        let replica = Replica::start(&place, &shared).await;
        replica.reads_for(1, "assistant", Some("eve"), 5).await;
        assert_eq!(
            replica.found().await,
            [reads_of(1, "assistant")],
            "no second one after a start"
        );
        replica.stop().await;
    }
}
