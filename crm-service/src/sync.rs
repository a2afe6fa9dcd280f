//! The primitives by which threads of this service meet where a mistake would let a revoked handle through. In the
//! crate's own tests with the feature `models` they are those of loom, which runs a test once for every order in which
//! threads can meet there. Modules named `models` hold such tests; `make test-models` runs them.

#[cfg(all(test, feature = "models"))]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(not(all(test, feature = "models")))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicBool};
