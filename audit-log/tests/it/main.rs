//! What the log promises, on real files and on a real PostgreSQL.

#[cfg(test)]
mod api;
#[cfg(test)]
mod by_client;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod order;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod place;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod served;
#[cfg(test)]
mod support;
