//! The thread that writes the file, so that no disk holds up the writer of the log or a worker of the runtime.

use std::{mem, sync::mpsc, thread};

use tokio::sync::oneshot;

use super::{error::Error, file::SpillFile, record::Record};

enum Job {
    /// Put these on disk, behind what is there; and what could not be put before, first.
    Put(Vec<Record>),
    /// All that was put is in the log.
    Clear,
}

/// The way to the thread. What is asked is done in order.
#[derive(Debug)]
pub(crate) struct Spill {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

impl Spill {
    pub(super) fn start(file: SpillFile) -> Result<Self, Error> {
        let (jobs, queued) = mpsc::channel();
        let (alive, ended) = oneshot::channel();
        let mut keeper = Keeper {
            file,
            lacking: Vec::new(),
            told: 0,
            is_full: false,
        };
        thread::Builder::new()
            .name("audit-spill".to_owned())
            .spawn(move || {
                while let Ok(job) = queued.recv() {
                    keeper.work(job);
                }
                drop(keeper);
                drop::<oneshot::Sender<()>>(alive);
            })
            .map_err(Error::Thread)?;
        Ok(Self { jobs, ended })
    }

    /// Puts outcomes into the file, and nobody waits for that.
    pub(super) fn put(&self, records: Vec<Record>) {
        // A thread that is gone keeps nothing: the outcomes wait in memory.
        drop(self.jobs.send(Job::Put(records)));
    }

    /// Forgets what was put.
    pub(super) fn clear(&self) {
        drop(self.jobs.send(Job::Clear));
    }

    /// Ends the thread when it has done what it was asked. When this returns, nobody has the file.
    pub(super) async fn close(self) {
        drop(self.jobs);
        // The sender is dropped with the thread's last breath: that is the answer.
        let _ = self.ended.await;
    }
}

/// What the thread knows.
struct Keeper {
    file: SpillFile,
    /// What the disk has refused so far.
    lacking: Vec<Record>,
    /// How many of those it was said of.
    told: usize,
    /// Whether it was said that the file is full.
    is_full: bool,
}

impl Keeper {
    fn work(&mut self, job: Job) {
        match job {
            Job::Put(records) => {
                self.lacking.extend(records);
                if !self.lacking.is_empty() {
                    self.put();
                }
            }
            Job::Clear => self.clear(),
        }
    }

    fn put(&mut self) {
        let records = mem::take(&mut self.lacking);
        let put = self.file.put(&records);
        let path = self.file.path().display();
        match put {
            Ok(put) => {
                self.told = 0;
                count("hubkeep_audit_spilled_total", put);
                let left = records.len().saturating_sub(put);
                if left > 0 {
                    metrics::counter!("hubkeep_audit_not_spilled_total", "why" => "full")
                        .increment(u64::try_from(left).unwrap_or(u64::MAX));
                    if !mem::replace(&mut self.is_full, true) {
                        tracing::error!(
                            outcomes = left, %path,
                            "the file of outcomes that wait is full: further ones wait in memory only, and are lost with the process"
                        );
                    }
                }
            }
            Err(error) => {
                // Each is counted once, however often it is tried.
                let new = records.len().saturating_sub(self.told);
                metrics::counter!("hubkeep_audit_not_spilled_total", "why" => "failed")
                    .increment(u64::try_from(new).unwrap_or(u64::MAX));
                if self.told == 0 {
                    tracing::error!(
                        outcomes = records.len(), %error, %path,
                        "outcomes that wait could not be put on disk: until they are, they wait in memory only"
                    );
                }
                self.told = records.len();
                self.lacking = records;
            }
        }
    }

    fn clear(&mut self) {
        self.lacking.clear();
        (self.is_full, self.told) = (false, 0);
        // What stays there is found to be in the log already when the file is read.
        if let Err(error) = self.file.clear() {
            tracing::warn!(%error, "outcomes that are in the log stay in their file, too, until the next start");
        }
    }
}

fn count(name: &'static str, outcomes: usize) {
    metrics::counter!(name).increment(u64::try_from(outcomes).unwrap_or(u64::MAX));
}
