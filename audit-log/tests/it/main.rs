//! What the log promises, on real files and on a real PostgreSQL.

#[cfg(test)]
mod anchors;
#[cfg(test)]
mod anchors_s3;
#[cfg(test)]
mod api;
#[cfg(test)]
mod by_client;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod filled;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod heirs;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod moved_file;
#[cfg(test)]
mod order;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod payloads_held;
#[cfg(test)]
mod payloads_served;
#[cfg(test)]
mod place;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod proofs_changed;
#[cfg(test)]
mod proofs_named;
#[cfg(test)]
mod proofs_served;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod retention_anchored;
#[cfg(test)]
mod retention_payloads;
#[cfg(test)]
mod retention_read;
#[cfg(test)]
mod retention_steps;
#[cfg(test)]
mod served;
#[cfg(test)]
mod spilled;
#[cfg(test)]
mod spilled_badly;
#[cfg(test)]
mod spilled_hung;
#[cfg(test)]
mod support;
