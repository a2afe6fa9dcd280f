//! Key services, secret stores and places to anchor in for tests, on loopback. They answer what the real ones document, and do harm on demand.
//!
//! | module | stands for |
//! |---|---|
//! | [`vault`] | Vault and OpenBao: the transit engine, the KV engine of version 2, tokens, namespaces |
//! | [`google`] | Google Cloud: KMS, Secret Manager, the exchange of assertions for tokens, the metadata server |
//! | [`moto`] | AWS: moto, a program from PyPI |
//! | [`bucket`] | S3-compatible storage |
//! | [`oidc`] | an OpenID provider |
//! | [`keeper`] | a receiver of signed webhooks that keeps what it takes |
//! | [`trouble`] | what can be wrong with any of them |
//! | [`cipher`] | how their keys encrypt |

pub mod bucket;
pub mod cipher;
pub mod google;
pub mod keeper;
pub mod moto;
pub mod oidc;
mod serve;
pub mod trouble;
pub mod vault;
