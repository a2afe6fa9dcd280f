//! Ids that Hubkeep itself gives out: UUIDs of version 7, which sort by time.

use std::{fmt, str::FromStr};

use thiserror::Error;
use uuid::{Builder, Uuid};

use crate::{
    clock::Clock,
    random::{Random, RandomError},
};

/// The text is not a UUID.
#[derive(Debug, Error)]
#[error("not a UUID")]
pub struct InvalidId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made now.
            ///
            /// # Errors
            /// If there is no randomness to be had.
            pub fn make(clock: &dyn Clock, random: &dyn Random) -> Result<Self, RandomError> {
                let millis = u64::try_from(clock.now().as_micros() / 1_000).unwrap_or(0);
                Ok(Self(Builder::from_unix_timestamp_millis(millis, &random.bytes()?).into_uuid()))
            }

            /// The 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }
    };
}

uuid_id! {
    /// The public id of a handle. It is what stands in logs; it opens nothing.
    HandleId
}
uuid_id! {
    /// One logical call, over all its attempts and in both services.
    CallId
}
uuid_id! {
    /// One gRPC request.
    RequestId
}
uuid_id! {
    /// One entry of an audit log.
    EntryId
}
uuid_id! {
    /// One credential of a portal, through all its versions.
    CredentialId
}
uuid_id! {
    /// A call that was reserved, to be made when its caller is gone.
    ReservationId
}
uuid_id! {
    /// One rotation: a token in the place of another.
    RotationId
}
uuid_id! {
    /// A session of somebody who has signed in, or what came of one code of a client.
    SessionId
}
uuid_id! {
    /// A HubSpot account that somebody has connected.
    ConnectionId
}
uuid_id! {
    /// A process that redeems handles, for as long as it lives.
    RedeemerId
}
uuid_id! {
    /// One message to one receiver, however often it is sent.
    DeliveryId
}
