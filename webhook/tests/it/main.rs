//! What a delivery promises, shown to receivers on loopback that check it by an implementation which is not ours.

#![expect(clippy::expect_used, reason = "a test ends where its promise is broken")]

mod deliveries;
mod receiver;
