//! What a handle or a grant allows, from the wire and back.

use hubkeep_core::error::FieldViolation;
use hubkeep_proto::credential::v1::{HandleBudget, HandleOperation, HandleScope};

use super::Error;
use crate::access::{Budget, MOST, Named, Operation, Scope};

/// A scope, held to its rules.
pub(super) fn read(wire: HandleScope) -> Result<Scope, Error> {
    Scope::new(named(wire)?).map_err(Error::Fields)
}

/// The lists of a scope.
pub(super) fn named(wire: HandleScope) -> Result<Named, Error> {
    let operations = wire.operations.iter().map(|number| operation(*number));
    let operations = operations.collect::<Option<_>>();
    Ok(Named {
        operations: operations
            .ok_or_else(|| Error::field("scope.operations", "name known operations only"))?,
        object_types: wire.object_types.into_iter().collect(),
        properties: wire.properties.into_iter().collect(),
        pipelines: wire.pipelines.into_iter().collect(),
        owner_ids: wire.owner_ids.into_iter().collect(),
    })
}

/// A budget, where 0 means any amount.
pub(super) fn budget(wire: Option<HandleBudget>) -> Result<Budget, Error> {
    let wire = wire.unwrap_or_default();
    let amounts = [
        ("budget.max_calls", wire.max_calls),
        ("budget.max_records", wire.max_records),
    ];
    let faults: Vec<_> = amounts
        .into_iter()
        .filter(|(_, amount)| *amount > MOST)
        .map(|(field, _)| FieldViolation {
            field: field.to_owned(),
            description: "must be from 1 to 1,000,000,000, or 0 for any number".to_owned(),
        })
        .collect();
    if !faults.is_empty() {
        return Err(Error::Fields(faults));
    }
    let limited = |amount: u64| (amount > 0).then_some(amount);
    Ok(Budget {
        max_calls: limited(wire.max_calls),
        max_records: limited(wire.max_records),
    })
}

/// A scope as it is sent.
pub(super) fn to_wire(scope: &Scope) -> HandleScope {
    let named = scope.named();
    HandleScope {
        operations: scope
            .operations()
            .map(|operation| operation_to_wire(operation).into())
            .collect(),
        object_types: named.object_types.into_iter().collect(),
        properties: named.properties.into_iter().collect(),
        pipelines: named.pipelines.into_iter().collect(),
        owner_ids: named.owner_ids.into_iter().collect(),
    }
}

/// A budget as it is sent.
pub(super) fn budget_to_wire(budget: Budget) -> Option<HandleBudget> {
    budget.is_limited().then(|| HandleBudget {
        max_calls: budget.max_calls.unwrap_or_default(),
        max_records: budget.max_records.unwrap_or_default(),
    })
}

fn operation(number: i32) -> Option<Operation> {
    match HandleOperation::try_from(number).ok()? {
        HandleOperation::Unspecified => None,
        HandleOperation::Get => Some(Operation::Get),
        HandleOperation::List => Some(Operation::List),
        HandleOperation::Search => Some(Operation::Search),
        HandleOperation::Create => Some(Operation::Create),
        HandleOperation::Update => Some(Operation::Update),
        HandleOperation::Archive => Some(Operation::Archive),
        HandleOperation::ReadAudit => Some(Operation::ReadAudit),
        HandleOperation::Quota => Some(Operation::Quota),
        HandleOperation::Merge => Some(Operation::Merge),
        HandleOperation::Erase => Some(Operation::Erase),
        HandleOperation::Associate => Some(Operation::Associate),
        HandleOperation::Report => Some(Operation::Report),
        HandleOperation::WriteSchema => Some(Operation::WriteSchema),
    }
}

const fn operation_to_wire(operation: Operation) -> HandleOperation {
    match operation {
        Operation::Get => HandleOperation::Get,
        Operation::List => HandleOperation::List,
        Operation::Search => HandleOperation::Search,
        Operation::Create => HandleOperation::Create,
        Operation::Update => HandleOperation::Update,
        Operation::Archive => HandleOperation::Archive,
        Operation::ReadAudit => HandleOperation::ReadAudit,
        Operation::Quota => HandleOperation::Quota,
        Operation::Merge => HandleOperation::Merge,
        Operation::Erase => HandleOperation::Erase,
        Operation::Associate => HandleOperation::Associate,
        Operation::Report => HandleOperation::Report,
        Operation::WriteSchema => HandleOperation::WriteSchema,
    }
}
