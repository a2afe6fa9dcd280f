//! crm-service dies at every point at which a write can be found suspended: at the first, at the second, and so on until the
//! write gets through.
//!
//! The process counts those points itself (`core/src/dying.rs`), also of the tasks beside the call: of the log's writer, of what is
//! looked for afterwards. It dies twice at each: at once; and late, when the task at that point went no further and all others went as
//! far as they could, so that HubSpot has carried out what was sent. What HubSpot has received of it is asked for in a process that
//! dies too, each at another point; and everything in the end in one that lives, until it is known.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use hubkeep_proto::crm::v1::WriteState;
use hubkeep_tests::{
    Hubkeep,
    support::{
        keeping::Keeping,
        processes::{Process, crm_service_config_on, dying_crm_service_binary, serve},
    },
    wait_until,
};

use super::{
    NOT_DONE_AFTER, around,
    asking::{Asking, Known, told_reason},
    callers::Told,
    errands::{Errand, KINDS, Kind},
    log, pause, unnamed,
    witnesses::{
        Received, counted, every_unknown_write_is_listed, listed, nothing_was_done_twice, unrecorded,
    },
};

/// How many points there are is not the same each time: beyond the last are those at which it does not die so often, one after the
/// other.
const BEYOND: u32 = 3;
/// The kinds of which one is also made without a request id: what is listed then is listed in other ways.
const UNNAMED: [Kind; 2] = [Kind::CreateContact, Kind::Unlabel];
/// No write has so many.
const MOST: u64 = 400;
/// When the process that dies late is dead for certain.
const DEAD: Duration = Duration::from_secs(5);
/// How long a process that dies late goes on: HubSpot has carried out by then what was sent, also on a busy machine.
const LATE: Duration = Duration::from_millis(300);
/// How long it goes on after an answer: it may die yet.
const BESIDE: Duration = Duration::from_millis(400);
/// Who asks in the end.
const CALLERS: usize = 8;

/// How the process dies at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    AtOnce,
    Late,
}

/// What a process was seen to do with a write.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Died,
    /// It was made, and the process died behind it: at a point of what goes on beside a write.
    DiedBeside,
    /// It was made, and the process lives.
    Answered,
    /// Something else was said of it.
    Refused,
}

struct Walk {
    hubkeep: Arc<Hubkeep>,
    keeping: Keeping,
    config: PathBuf,
    asking: Asking,
    next: u64,
    answered: Vec<Errand>,
    unanswered: Vec<Errand>,
}

/// At each point of each kind of write; or only of those that are named.
pub async fn each(keeping: Keeping, named: &str) {
    let is_named = |kind: &Kind| named.split(',').any(|name| name == format!("{kind:?}"));
    let kinds = KINDS
        .into_iter()
        .filter(|kind| named.is_empty() || is_named(kind));
    let hubkeep = around().await;
    let config = crm_service_config_on(
        hubkeep.folder(),
        &hubkeep.credential_address(),
        &hubkeep.hubspot.base_url(),
        &keeping,
    );
    let mut walk = Walk {
        asking: Asking::new(hubkeep.clone()).await,
        hubkeep,
        keeping,
        config,
        next: 0,
        answered: Vec::new(),
        unanswered: Vec::new(),
    };
    for kind in kinds {
        walk.of(kind, true).await;
        if UNNAMED.contains(&kind) {
            walk.of(kind, false).await;
        }
    }
    walk.again_and_dies().await;
    walk.judge().await;
}

impl Walk {
    /// Dies at each point of a write of this kind, in both ways.
    async fn of(&mut self, kind: Kind, is_named: bool) {
        let (since, answered) = (self.unanswered.len(), self.answered.len());
        let mut points = BTreeMap::new();
        for way in [Way::AtOnce, Way::Late] {
            let (mut beyond, mut last) = (0, 0);
            for point in 1..=MOST {
                let errand = Errand::new(&self.hubkeep, kind, self.next);
                let errand = if is_named { errand } else { errand.unnamed() };
                self.next += 1;
                match self.dies(&errand, point, way).await {
                    Seen::Died => {
                        self.unanswered.push(errand);
                        (beyond, last) = (0, point);
                    }
                    Seen::DiedBeside => {
                        self.answered.push(errand);
                        (beyond, last) = (0, point);
                    }
                    Seen::Answered => {
                        self.answered.push(errand);
                        beyond += 1;
                    }
                    Seen::Refused => {
                        self.unanswered.push(errand);
                        beyond = 0;
                    }
                }
                if beyond == BEYOND {
                    break;
                }
            }
            assert_eq!(beyond, BEYOND, "{kind:?} does not get through");
            points.insert(way, last);
        }
        let received = Received::of(self.hubkeep.journal());
        let died = &self.unanswered[since..];
        let was = |carried_out: bool| {
            let errands = died.iter().map(|errand| received.of_errand(errand));
            errands
                .filter(|sent| sent.iter().any(|(_, done)| *done) == carried_out)
                .count()
        };
        let answered = self.answered.len() - answered;
        let (before, after) = (was(false), was(true));
        // Else it would not have been in the midst of it.
        assert!(
            before > 1 && after > 1,
            "{kind:?}: died {before} times before, {after} times after"
        );
        println!(
            "{kind:?}{}: points {points:?}, died before HubSpot did it {before}, after it {after}, answered {answered}",
            if is_named { "" } else { " without a request id" },
        );
    }

    /// A process that dies at this point of this write, if there is one.
    async fn dies(&mut self, errand: &Errand, point: u64, way: Way) -> Seen {
        let mut command = serve(dying_crm_service_binary(), &self.config);
        command
            .env("HUBKEEP__WRITES__NOT_DONE_AFTER", NOT_DONE_AFTER)
            .env("DIES_AT", point.to_string());
        if way == Way::Late {
            command.env("DIES_LATE", LATE.as_millis().to_string());
        }
        let (mut process, address) = Process::listening("crm-service", &mut command);
        let asked = self.asking.once(&address, errand).await;
        match &asked {
            Ok(()) => {
                pause(BESIDE).await;
                return match process.has_ended() {
                    true => Seen::DiedBeside,
                    false => Seen::Answered,
                };
            }
            Err(status) if !told_reason(status).is_empty() => return Seen::Refused,
            Err(_) => {}
        }
        let what = format!("{errand:?} was not answered, and {way:?} at {point} is no end: {asked:?}");
        wait_until(&what, DEAD, async || process.has_ended()).await;
        Seen::Died
    }

    /// Asks once more for each of which HubSpot has received something, in processes that die as well: each at another point, of
    /// those that asking again has. Of the others nothing is there: asked for again, they are made as if for the first time.
    async fn again_and_dies(&mut self) {
        let mut points: BTreeMap<(Kind, Way), u64> = BTreeMap::new();
        let received = Received::of(self.hubkeep.journal());
        let is_in_doubt = |errand: &Errand| errand.is_named && !received.of_errand(errand).is_empty();
        let (in_doubt, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unanswered)
            .into_iter()
            .partition(is_in_doubt);
        self.unanswered = rest;
        let (asked, mut died) = (in_doubt.len(), 0);
        for (turn, errand) in in_doubt.into_iter().enumerate() {
            let way = if turn % 2 == 0 { Way::AtOnce } else { Way::Late };
            let point = points.entry((errand.kind, way)).or_insert(0);
            *point += 1;
            let at = *point;
            match self.dies(&errand, at, way).await {
                Seen::Died | Seen::DiedBeside => died += 1,
                // It begins anew: there are no more.
                Seen::Answered | Seen::Refused => *point = 0,
            }
            self.unanswered.push(errand);
        }
        println!("received by HubSpot and asked for again {asked}, died in that {died}");
        assert!(died > 0, "asking again has points too");
    }

    /// Asks for each until it is known, in a process that lives; and holds it all against the witnesses.
    async fn judge(self) {
        let mut command = serve(dying_crm_service_binary(), &self.config);
        command.env("HUBKEEP__WRITES__NOT_DONE_AFTER", NOT_DONE_AFTER);
        let (process, address) = Process::listening("crm-service", &mut command);
        let asked = self.unanswered.len();
        let open = Arc::new(Mutex::new(self.unanswered));
        let told = Arc::new(Mutex::new(Told::new()));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (open, told) = (open.clone(), told.clone());
                let (hubkeep, address) = (self.hubkeep.clone(), address.clone());
                tokio::spawn(async move {
                    let mut asking = Asking::new(hubkeep).await;
                    while let Some(errand) = pop(&open) {
                        // Without a request id its caller has heard nothing, and can ask nobody.
                        let known = match errand.is_named {
                            true => asking.until_known(&errand, || address.clone()).await,
                            false => Known::Unanswered,
                        };
                        told.lock().expect("whole").push((errand, known));
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("callers survive");
        }
        let mut told = std::mem::take(&mut *told.lock().expect("whole"));
        let states = [WriteState::UnderWay, WriteState::Unknown];
        every_unknown_write_is_listed(&self.hubkeep, &told, &listed(&address, &states).await, &[]);
        let unknown = counted(&told, Known::Unknown);
        told.extend(self.answered.into_iter().map(|errand| (errand, Known::Done)));
        let again = nothing_was_done_twice(&self.hubkeep, &told);
        let events = log::events(&self.hubkeep, &self.keeping).await;
        assert_eq!(
            unrecorded(&self.hubkeep, &events),
            0,
            "reached HubSpot without a record"
        );
        let journal = self.hubkeep.journal();
        let unnamed = unnamed::are_listed_or_known(&address, journal, &events).await;
        process.kill();
        println!(
            "{} writes, died in {asked}: done {}, of these lost on the way and done later {again}, unknown and listed {unknown:?}, without a request id listed \
             {unnamed}; duplicates 0, unrecorded 0, forgotten 0",
            told.len(),
            told.iter().filter(|(_, known)| *known == Known::Done).count(),
        );
    }
}

fn pop(open: &Mutex<Vec<Errand>>) -> Option<Errand> {
    open.lock().expect("whole").pop()
}
