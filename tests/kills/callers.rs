//! Callers who ask for each write until they know what became of it, and the process that they ask.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use hubkeep_tests::{
    Hubkeep,
    support::{
        keeping::Keeping,
        processes::{Process, crm_service_binary, crm_service_config_on, serve},
    },
};
use tokio::task::JoinHandle;

use super::{
    NOT_DONE_AFTER,
    asking::{Asking, Known},
    errands::{Errand, KINDS},
};

const CALLERS: usize = 8;
/// One in so many writes has no request id. Prime to the number of kinds, so that it is one of each kind at times.
const UNNAMED: u64 = 7;

/// What callers know of their writes.
pub type Told = Vec<(Errand, Known)>;

/// Everything that the test plays with.
pub struct Stage {
    pub hubkeep: Arc<Hubkeep>,
    /// Where the processes keep what they keep.
    pub keeping: Keeping,
    config: PathBuf,
    replicas: Vec<Replica>,
    writes: u64,
    next: Arc<AtomicU64>,
    told: Arc<Mutex<Told>>,
}

/// A process that callers ask, and its address.
struct Replica {
    process: Mutex<Option<Process>>,
    address: Arc<Mutex<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// So many processes that keep what they keep there, and so many writes.
    pub fn new(hubkeep: Arc<Hubkeep>, keeping: Keeping, replicas: usize, writes: u64) -> Self {
        let config = crm_service_config_on(
            hubkeep.folder(),
            &hubkeep.credential_address(),
            &hubkeep.hubspot.base_url(),
            &keeping,
        );
        let replica = |_| Replica {
            process: Mutex::new(None),
            address: Arc::default(),
        };
        let stage = Self {
            hubkeep,
            keeping,
            config,
            replicas: (0..replicas).map(replica).collect(),
            writes,
            next: Arc::default(),
            told: Arc::default(),
        };
        for replica in 0..replicas {
            stage.start(replica);
        }
        stage
    }

    /// How many processes there are.
    pub fn replicas(&self) -> usize {
        self.replicas.len()
    }

    /// Starts a process, over what the one before has left.
    pub fn start(&self, replica: usize) {
        let mut command = serve(crm_service_binary(), &self.config);
        let command = command.env("HUBKEEP__WRITES__NOT_DONE_AFTER", NOT_DONE_AFTER);
        let (process, address) = Process::listening("crm-service", command);
        *locked(&self.replicas[replica].address) = address;
        *locked(&self.replicas[replica].process) = Some(process);
    }

    /// Ends it without warning.
    pub fn kill(&self, replica: usize) {
        if let Some(process) = locked(&self.replicas[replica].process).take() {
            process.kill();
        }
    }

    pub fn address(&self) -> String {
        locked(&self.replicas[0].address).clone()
    }

    /// Of how many writes it is known what became of them.
    pub fn known(&self) -> u64 {
        locked(&self.told).len() as u64
    }

    /// What became of each.
    pub fn told(&self) -> Told {
        locked(&self.told).clone()
    }

    /// Sends everybody to work.
    pub fn callers(&self) -> Vec<JoinHandle<()>> {
        let caller = |_| {
            let addresses = self.replicas.iter().map(|replica| replica.address.clone());
            let (hubkeep, addresses) = (self.hubkeep.clone(), addresses.collect::<Vec<_>>());
            let (next, told, writes) = (self.next.clone(), self.told.clone(), self.writes);
            tokio::spawn(async move {
                let mut asking = Asking::new(hubkeep.clone()).await;
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= writes {
                        return;
                    }
                    let errand = Errand::new(&hubkeep, KINDS[number as usize % KINDS.len()], number);
                    let errand = match number % UNNAMED {
                        0 => errand.unnamed(),
                        _ => errand,
                    };
                    let mut turn = number as usize;
                    let address = || {
                        // Whoever is asked again may be another.
                        turn += 1;
                        locked(&addresses[turn % addresses.len()]).clone()
                    };
                    let known = asking.until_known(&errand, address).await;
                    locked(&told).push((errand, known));
                }
            })
        };
        (0..CALLERS).map(caller).collect()
    }
}
