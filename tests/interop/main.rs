//! What other languages see: Hubkeep's wire by clients generated in Go, Python and TypeScript, by grpcurl and by buf;
//! the simulator by HubSpot's own clients, and what these do through Hubkeep. Run by `make test-interop`, which needs go, node,
//! npm and python3.
//!
//! What is installed and built lies in `target/interop`, and nothing is written anywhere else.

mod example_clients;
mod grpcurl;
mod hubspot_clients;
mod place;
mod same_results;
