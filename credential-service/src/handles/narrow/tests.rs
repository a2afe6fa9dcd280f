use std::collections::BTreeSet;

use hubkeep_core::{
    clock::SystemClock,
    error::{ErrorReason, ServiceError as _},
    grpc::Caller,
    id::PortalId,
    random::SystemRandom,
};
use proptest::{collection::btree_set, option, prelude::*};

use super::{super::claims::Under, *};

const OPERATIONS: [Operation; 13] = [
    Operation::Get,
    Operation::List,
    Operation::Search,
    Operation::Create,
    Operation::Update,
    Operation::Archive,
    Operation::ReadAudit,
    Operation::Quota,
    Operation::Merge,
    Operation::Erase,
    Operation::Associate,
    Operation::Report,
    Operation::WriteSchema,
];
const NOW: i64 = 1_800_000_000_000_000;

fn id() -> HandleId {
    HandleId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random")
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn root(named: Named, budget: Budget) -> Handle {
    let handle_id = id();
    Handle {
        handle_id,
        ancestors: Vec::new(),
        portal_id: PortalId::new(7).expect("valid"),
        client_slug: "acme".parse().expect("valid"),
        portal_generation: 3,
        caller: Caller {
            name: "sync".parse().expect("valid"),
            thumbprint: None,
        },
        audience: "crm-service".parse().expect("valid"),
        scope: Scope::new(named).expect("valid"),
        budget,
        budgeted: budget.is_limited().then_some(handle_id).into_iter().collect(),
        under: Under {
            grant_id: "g".parse().expect("valid"),
            grant_revision: 1,
            caller_generation: 1,
            person: None,
            writes_need_approval: true,
        },
        purpose: "sync".parse().expect("valid"),
        end_user: None,
        issue_time: Timestamp::from_micros(NOW),
        expire_time: Timestamp::from_micros(NOW).plus(Duration::from_secs(300)),
        user: None,
    }
}

/// Some of these words, or none.
fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(prop::sample::select(words), 0..=words.len()).prop_map(|words| {
        let owned = words.into_iter().map(str::to_owned);
        owned.collect()
    })
}

fn some_types() -> impl Strategy<Value = BTreeSet<String>> {
    prop_oneof![Just(set(&["*"])), some_of(&["contacts", "deals", "tickets"])]
}

prop_compose! {
    fn some_named()(
        operations in btree_set(prop::sample::select(OPERATIONS.as_slice()), 0..8),
        object_types in some_types(),
        properties in some_of(&["email", "phone", "amount"]),
        pipelines in some_of(&["default", "renewals"]),
        owner_ids in some_of(&["1", "2"]),
    ) -> Named {
        Named { operations, object_types, properties, pipelines, owner_ids }
    }
}

prop_compose! {
    fn some_budget()(max_calls in option::of(1_u64..20), max_records in option::of(1_u64..20)) -> Budget {
        Budget { max_calls, max_records }
    }
}

prop_compose! {
    fn some_narrowing()(
        named in some_named(),
        read_only in any::<bool>(),
        budget in some_budget(),
        secs in option::of(1_u64..2_000),
    ) -> Narrowing {
        Narrowing { named, read_only, budget, lifetime: secs.map(Duration::from_secs), purpose: None }
    }
}

/// Every single call that could be made by a scope: what it says of each is what decides.
fn allows(scope: &Scope, operation: Operation, kind: &str, limits: [&str; 3]) -> bool {
    let named = scope.named();
    let within = |list: &BTreeSet<String>, one: &str| list.is_empty() || list.contains(one);
    let [property, pipeline, owner] = limits;
    named.operations.contains(&operation)
        && (named.object_types.contains("*") || named.object_types.contains(kind))
        && within(&named.properties, property)
        && within(&named.pipelines, pipeline)
        && within(&named.owner_ids, owner)
}

fn assert_no_wider(child: &Handle, parent: &Handle) {
    for operation in OPERATIONS {
        for kind in ["contacts", "deals", "tickets", "2-77"] {
            for property in ["email", "phone", "amount", "other"] {
                for pipeline in ["default", "renewals", "other"] {
                    for owner in ["1", "2", "3"] {
                        let limits = [property, pipeline, owner];
                        assert!(
                            !allows(&child.scope, operation, kind, limits)
                                || allows(&parent.scope, operation, kind, limits),
                            "{operation:?} {kind} {limits:?}"
                        );
                    }
                }
            }
        }
    }
    let no_more = |child: Option<u64>, parent: Option<u64>| match (child, parent) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(child), Some(parent)) => child <= parent,
    };
    assert!(no_more(child.budget.max_calls, parent.budget.max_calls));
    assert!(no_more(child.budget.max_records, parent.budget.max_records));
    assert!(parent.budgeted.iter().all(|one| child.budgeted.contains(one)));
    assert!(child.expire_time <= parent.expire_time);
    assert_eq!(child.caller, parent.caller);
    assert_eq!(child.audience, parent.audience);
    assert_eq!(child.under, parent.under);
    assert_eq!(
        (child.portal_id, child.portal_generation),
        (parent.portal_id, parent.portal_generation)
    );
    assert_eq!(child.ancestors.first(), Some(&parent.handle_id));
    assert_eq!(child.root(), parent.root());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_sequence_of_narrowing_ever_widens(
        named in some_named(),
        budget in some_budget(),
        wishes in proptest::collection::vec(some_narrowing(), 1..6),
    ) {
        let Ok(_) = Scope::new(named.clone()) else { return Ok(()) };
        let first = root(named, budget);
        let mut parent = first.clone();
        for (n, wish) in wishes.into_iter().enumerate() {
            let now = Timestamp::from_micros(NOW).plus(Duration::from_secs(n as u64));
            if let Ok(child) = child_of(&parent, id(), wish, now) {
                assert_no_wider(&child, &parent);
                for operation in OPERATIONS {
                    prop_assert!(!child.scope.allows(operation) || first.scope.allows(operation));
                }
                prop_assert!(child.ancestors.len() <= DEEPEST);
                parent = child;
            }
        }
    }
}

#[test]
fn a_child_that_names_nothing_is_as_its_parent() {
    let named = Named {
        operations: [Operation::Get, Operation::Update].into(),
        object_types: set(&["deals"]),
        pipelines: set(&["renewals"]),
        ..Named::default()
    };
    let parent = root(named, Budget::default());
    let child = child_of(&parent, id(), Narrowing::default(), parent.issue_time).expect("narrowed");
    assert_eq!(child.scope, parent.scope);
    assert_eq!(child.expire_time, parent.expire_time);
    let reading = Narrowing {
        read_only: true,
        ..Narrowing::default()
    };
    let child = child_of(&child, id(), reading, parent.issue_time).expect("narrowed");
    assert!(child.scope.allows(Operation::Get) && !child.scope.writes());
}

#[test]
fn whatever_adds_is_refused_with_its_name() {
    let named = Named {
        operations: [Operation::Get].into(),
        object_types: set(&["deals"]),
        properties: set(&["amount"]),
        pipelines: set(&["renewals"]),
        ..Named::default()
    };
    let budget = Budget {
        max_calls: Some(5),
        max_records: None,
    };
    let parent = root(named, budget);
    let refused = |named: Named, budget: Budget| {
        let wish = Narrowing {
            named,
            budget,
            ..Narrowing::default()
        };
        let error = child_of(&parent, id(), wish, parent.issue_time).expect_err("wider");
        assert_eq!(error.reason(), ErrorReason::HandleWider);
        error.metadata()
    };
    let operations = Named {
        operations: [Operation::Update].into(),
        ..Named::default()
    };
    assert_eq!(
        refused(operations, Budget::default()),
        [("field", "operations".to_owned())]
    );
    let pipelines = Named {
        pipelines: set(&["default"]),
        ..Named::default()
    };
    assert_eq!(
        refused(pipelines, Budget::default()),
        [("field", "pipelines".to_owned())]
    );
    let more = Budget {
        max_calls: Some(6),
        max_records: None,
    };
    assert_eq!(refused(Named::default(), more), [("field", "budget".to_owned())]);
}

#[test]
fn a_handle_is_narrowed_three_times_and_no_deeper() {
    let named = Named {
        operations: [Operation::Quota].into(),
        ..Named::default()
    };
    let mut handle = root(named, Budget::default());
    for _ in 0..DEEPEST {
        handle = child_of(&handle, id(), Narrowing::default(), handle.issue_time).expect("narrowed");
    }
    let error = child_of(&handle, id(), Narrowing::default(), handle.issue_time).expect_err("too deep");
    assert_eq!(error.reason(), ErrorReason::HandleTooDeep);
}
