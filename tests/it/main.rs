//! The promises of Hubkeep, each a test named as a sentence.

mod audit_down;
mod audit_stream;
mod audit_trail;
mod bad_input;
mod bad_wire;
mod certificate_files;
mod certificates;
mod certified_handles;
mod crash;
mod daily_limit;
mod drain;
mod drain_idle;
mod faults;
mod handles;
mod isolation;
mod isolation_load;
mod onboarding;
mod quota;
mod rate_limits;
mod readme;
mod rpc_coverage;
mod secrets;
mod tidy;
mod waiting;
