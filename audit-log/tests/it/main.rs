//! What the log promises, on real files.

#[cfg(test)]
mod api;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod order;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod served;
#[cfg(test)]
mod support;
