//! What accounts tell about themselves, and the worlds that come with the simulator.

use hubspot_sim::{ObjectType, Simulator, World};

use crate::caller::{ALPHA, Caller, start};

#[tokio::test]
async fn the_name_of_an_account_is_told_from_2026_09_on() {
    let (_hubspot, caller) = start();
    let new = caller.get("/account-info/2026-09/details").await.json;
    let old = caller.get("/account-info/v3/details").await.json;
    assert_eq!(
        (&new["portalName"], &new["utcOffset"]),
        (&"alpha".into(), &"-05:00".into())
    );
    assert_eq!(old.get("portalName"), None);
    assert_eq!(old["timeZone"], "US/Eastern");
}

#[tokio::test]
async fn an_account_can_move_to_another_data_centre() {
    let (hubspot, caller) = start();
    hubspot.set_data_hosting_location(ALPHA, "eu1").unwrap();
    assert_eq!(
        caller.get("/account-info/2026-09/details").await.json["dataHostingLocation"],
        "eu1"
    );
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (_hubspot, caller) = start();
    for path in [
        "/",
        "/crm/v3/nothing",
        "/crm/objects/1999-01/contacts",
        "/crm/objects/2026-09",
    ] {
        assert_eq!(caller.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_object_type_is_named() {
    let (_hubspot, caller) = start();
    let answer = caller.get("/crm/v3/objects/frogs").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json["message"], "Unable to infer object type from: frogs");
}

#[tokio::test]
async fn the_demo_world_has_five_clients_of_whom_one_is_revoked() {
    let world = World::demo();
    let tokens: Vec<String> = world
        .portals
        .iter()
        .filter_map(|portal| portal.first_token().map(str::to_owned))
        .collect();
    let hubspot = Simulator::start(world).unwrap();
    let mut refused = 0;
    for token in &tokens {
        let caller = Caller::of(&hubspot, token);
        match caller.get("/crm/owners/2026-09").await.status {
            401 => refused += 1,
            _ => {
                let contacts = caller.get("/crm/v3/objects/contacts?limit=100").await.json;
                assert_eq!(contacts["results"].as_array().map(Vec::len), Some(20));
            }
        }
    }
    assert_eq!((tokens.len(), refused), (5, 1));
    for portal in hubspot.portals() {
        for kind in ["contacts", "companies", "deals", "tickets", "notes"] {
            assert_eq!(portal.records.get(kind), Some(&20), "{kind} of {}", portal.slug);
        }
    }
}

#[tokio::test]
async fn in_the_demo_world_people_work_for_companies() {
    let hubspot = Simulator::start(World::demo()).unwrap();
    let token = World::demo()
        .portal("acme")
        .and_then(|acme| acme.first_token().map(str::to_owned));
    let caller = Caller::of(&hubspot, &token.expect("a token"));
    let path = "/crm/objects/2026-09/contacts/105?associations=companies,deals,tickets,notes";
    let associations = &caller.get(path).await.json["associations"];
    assert_eq!(
        associations["companies"]["results"][1]["type"],
        "contact_to_company"
    );
    for kind in ["companies", "deals", "tickets", "notes"] {
        let id = associations[kind]["results"][0]["id"].as_str().unwrap();
        assert!(id.ends_with("105"), "{kind} {id}");
    }
}

#[tokio::test]
async fn a_thousand_accounts_start_quickly() {
    let hubspot = Simulator::start(World::of_portals(1_000)).unwrap();
    let last = hubspot.portal_id("client-1000").unwrap();
    assert_eq!(hubspot.record_count(last, ObjectType::Contacts), 5);
    let caller = Caller::of(&hubspot, "pat-na1-00000000-load-0000-0000-client001000");
    assert_eq!(
        caller.get("/account-info/2026-09/details").await.json["portalId"],
        last
    );
}

#[tokio::test]
async fn owners_are_listed_and_found_by_either_number() {
    let hubspot = Simulator::start(World::demo()).unwrap();
    let caller = Caller::of(
        &hubspot,
        World::demo()
            .portal("acme")
            .and_then(|p| p.first_token())
            .unwrap(),
    );
    let all = caller.get("/crm/v3/owners?limit=5").await.json;
    assert_eq!(all["results"].as_array().map(Vec::len), Some(5));
    assert_eq!(all["paging"]["next"]["after"], "505");
    let by_id = caller.get("/crm/owners/2026-09/501").await.json;
    let by_user = caller
        .get("/crm/owners/2026-09/90001?idProperty=userId")
        .await
        .json;
    assert_eq!(by_id, by_user);
    let gone = caller.get("/crm/owners/2026-09?archived=true").await.json;
    assert!(gone["results"][0]["userId"].is_null());
    assert_eq!(gone["results"][0]["userIdIncludingInactive"], 90_020);
}
