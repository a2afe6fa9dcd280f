//! What strace wrote, read: which system call did what, in the order in which they ended or began.

/// What a system call did, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The audit log was flushed to disk, and that has ended.
    LogOnDisk,
    /// Bytes began to leave for HubSpot.
    ToHubSpot,
    /// Bytes have come from HubSpot.
    FromHubSpot,
    /// Bytes began to leave for a caller.
    ToCaller,
}

/// Everything of it.
pub(crate) struct Trace<'a> {
    lines: Vec<(Act, &'a str)>,
}

/// One line of strace: thread, system call, the descriptor it is about.
struct Line<'a> {
    thread: &'a str,
    call: &'a str,
    rest: &'a str,
}

impl<'a> Trace<'a> {
    /// Reads the text. What counts is the moment at which a flush *ends* and at which bytes *begin* to leave: strace
    /// splits a call that another thread's comes between into "unfinished" and "resumed".
    pub(crate) fn of(text: &'a str, own_port: u16, hubspot_port: u16) -> Self {
        let sockets = Sockets {
            own: format!("TCP:[127.0.0.1:{own_port}->"),
            hubspot: format!("->127.0.0.1:{hubspot_port}]"),
        };
        let mut flushing: Vec<&str> = Vec::new();
        let mut receiving: Vec<&str> = Vec::new();
        let mut lines = Vec::new();
        for whole in text.lines() {
            let Some(line) = Line::of(whole) else { continue };
            let unfinished = whole.contains("<unfinished");
            let act = if let Some(call) = line.resumed() {
                let waiting = if is_flush(call) {
                    &mut flushing
                } else {
                    &mut receiving
                };
                let ours = waiting.iter().position(|thread| *thread == line.thread);
                ours.map(|at| {
                    waiting.swap_remove(at);
                    if is_flush(call) {
                        Act::LogOnDisk
                    } else {
                        Act::FromHubSpot
                    }
                })
                .filter(|act| *act == Act::LogOnDisk || line.has_bytes())
            } else if is_flush(line.call) && line.rest.contains("crm-service-audit.db") {
                ended(unfinished, Act::LogOnDisk, &mut flushing, line.thread)
            } else if is_send(line.call) {
                sockets.sent(line.rest)
            } else if line.rest.contains(&sockets.hubspot) {
                ended(unfinished, Act::FromHubSpot, &mut receiving, line.thread).filter(|_| line.has_bytes())
            } else {
                None
            };
            lines.extend(act.map(|act| (act, whole)));
        }
        Self { lines }
    }

    /// What was done, in order; what one connection sends in several calls without anything between is one act.
    pub(crate) fn acts(&self) -> Vec<Act> {
        let mut acts: Vec<Act> = self.lines.iter().map(|(act, _)| *act).collect();
        acts.dedup_by(|next, last| next == last && *next != Act::LogOnDisk);
        acts
    }

    /// The lines that matter, for people.
    pub(crate) fn told(&self) -> String {
        let lines = self
            .lines
            .iter()
            .map(|(act, line)| format!("{act:<12?} {line}\n"));
        lines.collect()
    }
}

fn ended<'a>(unfinished: bool, act: Act, waiting: &mut Vec<&'a str>, thread: &'a str) -> Option<Act> {
    if unfinished {
        waiting.push(thread);
        return None;
    }
    Some(act)
}

fn is_flush(call: &str) -> bool {
    matches!(call, "fdatasync" | "fsync")
}

fn is_send(call: &str) -> bool {
    matches!(call, "sendto" | "sendmsg" | "write" | "writev")
}

struct Sockets {
    own: String,
    hubspot: String,
}

impl Sockets {
    fn sent(&self, rest: &str) -> Option<Act> {
        let descriptor = rest
            .split_once('>')
            .map_or(rest, |_| rest.split(", ").next().unwrap_or(rest));
        if descriptor.contains(&self.hubspot) {
            Some(Act::ToHubSpot)
        } else if descriptor.contains(&self.own) {
            Some(Act::ToCaller)
        } else {
            None
        }
    }
}

impl<'a> Line<'a> {
    fn of(whole: &'a str) -> Option<Self> {
        let (thread, rest) = whole.split_once(' ')?;
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            return Some(Self {
                thread,
                call: "",
                rest: resumed,
            });
        }
        let (call, rest) = rest.split_once('(')?;
        Some(Self { thread, call, rest })
    }

    /// The call that goes on here, of a line "<... fdatasync resumed>) = 0".
    fn resumed(&self) -> Option<&'a str> {
        self.call
            .is_empty()
            .then(|| self.rest.split(' ').next().unwrap_or_default())
    }

    /// Whether the call gave more than nothing.
    fn has_bytes(&self) -> bool {
        let result = self.rest.rsplit_once("= ").map(|(_, result)| result);
        result.is_some_and(|result| result.starts_with(|digit: char| ('1'..='9').contains(&digit)))
    }
}
