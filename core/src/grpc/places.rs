//! How much a server works on at once: requests, and streams that may last. Each has a limit for all callers together
//! and one for each caller, so that no caller can take the places of all others.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Config, Error};
use crate::id::CallerName;

/// The places of a server.
#[derive(Debug)]
pub(super) struct Places {
    requests: Pool,
    streams: Pool,
}

/// That a request was let in, before it is known whose it is.
#[derive(Clone, Debug)]
pub(super) struct Admitted(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// What is held for as long as anybody works on a request, also when its caller is gone; or while a stream lasts.
#[derive(Clone, Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    _held: Arc<(Admitted, Share)>,
}

impl Places {
    /// As many as the configuration says.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            requests: Pool::new(
                Limit::new("grpc.max_in_flight", config.max_in_flight),
                Limit::new("grpc.max_in_flight_per_caller", config.max_in_flight_per_caller),
            ),
            streams: Pool::new(
                Limit::new("grpc.max_streams", config.max_streams),
                Limit::new("grpc.max_streams_per_caller", config.max_streams_per_caller),
            ),
        }
    }

    /// Lets a request in, whoever's it is.
    pub(super) fn admit(&self) -> Result<Admitted, Error> {
        self.requests.admit()
    }

    /// The place of a request that was let in, now that its caller is known.
    pub(super) fn place(self: &Arc<Self>, admitted: Admitted, caller: &CallerName) -> Result<Place, Error> {
        let share = self.requests.share(caller)?;
        Ok(self.held(admitted, share))
    }

    fn held(self: &Arc<Self>, admitted: Admitted, share: Share) -> Place {
        Place {
            places: Arc::clone(self),
            _held: Arc::new((admitted, share)),
        }
    }

    /// Ends when nobody works on a request any more, and from the beginning lets no further one in. Streams are not
    /// waited for: their end may depend on a reader who does not read.
    pub(super) async fn nothing_in_flight(&self) {
        let all = u32::try_from(self.requests.all.most).unwrap_or(u32::MAX);
        // An error would mean that the places are closed, and nobody closes them.
        drop(self.requests.free.acquire_many(all).await);
    }
}

impl Place {
    /// A place among the streams, for the same caller. The place of the request is free when this one alone is held.
    pub(super) fn of_stream(&self, caller: &CallerName) -> Result<Self, Error> {
        let streams = &self.places.streams;
        let share = streams.share(caller)?;
        Ok(self.places.held(streams.admit()?, share))
    }
}

/// A limit, and the setting that says it.
#[derive(Clone, Copy, Debug)]
struct Limit {
    setting: &'static str,
    most: usize,
}

impl Limit {
    const fn new(setting: &'static str, most: usize) -> Self {
        Self { setting, most }
    }
}

#[derive(Debug)]
struct Pool {
    all: Limit,
    free: Arc<Semaphore>,
    each: Limit,
    /// How many each caller has, of those who have any.
    taken: Arc<Mutex<Taken>>,
}

type Taken = HashMap<CallerName, usize>;

impl Pool {
    fn new(all: Limit, each: Limit) -> Self {
        Self {
            all,
            free: Arc::new(Semaphore::new(all.most)),
            each,
            taken: Arc::default(),
        }
    }

    fn admit(&self) -> Result<Admitted, Error> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        permit
            .map(|permit| Admitted(Arc::new(permit)))
            .map_err(|_| Error::Overloaded(self.all.setting, self.all.most))
    }

    fn share(&self, caller: &CallerName) -> Result<Share, Error> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let has = taken.entry(caller.clone()).or_default();
        if *has >= self.each.most {
            return Err(Error::TooManyAtOnce(self.each.setting, self.each.most));
        }
        *has = has.saturating_add(1);
        Ok(Share {
            taken: Arc::clone(&self.taken),
            caller: caller.clone(),
        })
    }
}

/// One of the places that a caller may have.
#[derive(Debug)]
struct Share {
    taken: Arc<Mutex<Taken>>,
    caller: CallerName,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut has) = taken.entry(self.caller.clone()) {
            match has.get().checked_sub(1) {
                None | Some(0) => drop(has.remove()),
                Some(fewer) => *has.get_mut() = fewer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: usize, each: usize) -> Arc<Places> {
        Arc::new(Places::new(&Config {
            max_in_flight: all,
            max_in_flight_per_caller: each,
            max_streams: all,
            max_streams_per_caller: each,
            ..Config::default()
        }))
    }

    fn caller(name: &str) -> CallerName {
        name.parse().expect("valid")
    }

    fn request(places: &Arc<Places>, name: &str) -> Result<Place, Error> {
        places.place(places.admit()?, &caller(name))
    }

    #[test]
    fn no_caller_takes_more_than_its_share_and_gets_each_place_back_that_it_gave_back() {
        let places = places(3, 2);
        let mut held: Vec<_> = (0..2).map(|_| request(&places, "a").expect("free")).collect();
        assert!(matches!(
            request(&places, "a"),
            Err(Error::TooManyAtOnce("grpc.max_in_flight_per_caller", 2))
        ));
        let other = request(&places, "b").expect("what was refused holds no place");
        assert!(matches!(
            request(&places, "b"),
            Err(Error::Overloaded("grpc.max_in_flight", 3))
        ));
        held.pop();
        request(&places, "a").expect("free again");
        drop((held, other));
        assert!(
            places.requests.taken.lock().expect("sound").is_empty(),
            "nobody is kept"
        );
    }

    #[test]
    fn a_stream_has_a_place_of_its_own_and_the_request_that_opened_it_gives_its_place_back() {
        let places = places(1, 1);
        let opening = request(&places, "a").expect("free");
        let stream = opening.of_stream(&caller("a")).expect("free");
        drop(opening);
        let next = request(&places, "a").expect("the stream is not a request");
        assert!(matches!(
            next.of_stream(&caller("a")),
            Err(Error::TooManyAtOnce("grpc.max_streams_per_caller", 1))
        ));
        assert!(matches!(
            next.of_stream(&caller("b")),
            Err(Error::Overloaded("grpc.max_streams", 1))
        ));
        drop(stream);
        next.of_stream(&caller("b")).expect("free again");
    }
}
