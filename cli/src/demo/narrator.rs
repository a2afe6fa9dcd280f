//! Tells the story: headings and results for people, JSON lines for machines.

use serde_json::json;

use super::{promises::Promises, stage::Stage};
use crate::{
    errors::Error,
    output::{FAINT, GOOD, HALT, Output, STRONG, printable},
};

/// Tells the story.
pub(super) struct Narrator {
    output: Output,
}

impl Narrator {
    pub(super) const fn new(output: Output) -> Self {
        Self { output }
    }

    /// What runs, and where.
    pub(super) fn opening(&self, stage: &Stage) -> Result<(), Error> {
        if self.output.is_json() {
            return Ok(());
        }
        self.output
            .line(&format!("{STRONG}Hubkeep, end to end{STRONG:#}"))?;
        for (name, address) in [
            ("credential-service", stage.credential().address().to_owned()),
            ("crm-service", stage.crm().address().to_owned()),
            ("HubSpot, simulated", stage.hubspot_address()),
        ] {
            self.output
                .line(&format!("  {name:<20}{FAINT}{address}{FAINT:#}"))?;
        }
        let open = "everybody may have handles here, by a grant; nobody may where no grant says so";
        self.output.line(&format!("  {FAINT}{open}{FAINT:#}"))?;
        let live = "lines that begin with │ are the two audit logs, live";
        self.output.line(&format!("  {FAINT}{live}{FAINT:#}"))
    }

    /// A new step.
    pub(super) fn step(&self, number: u32, title: &str) -> Result<(), Error> {
        if self.output.is_json() {
            return self.output.json_line(&json!({ "step": number, "title": title }));
        }
        self.output
            .line(&format!("\n{STRONG}{number}. {title}{STRONG:#}"))
    }

    /// Something worked.
    pub(super) fn done(&self, text: &str) -> Result<(), Error> {
        self.tell(true, text)
    }

    /// Something was refused, as it should be.
    pub(super) fn refused(&self, text: &str) -> Result<(), Error> {
        self.tell(false, text)
    }

    fn tell(&self, done: bool, text: &str) -> Result<(), Error> {
        if self.output.is_json() {
            return self.output.json_line(&json!({ "done": done, "text": text }));
        }
        let (mark, style) = if done { ("✓", GOOD) } else { ("⊘", HALT) };
        self.output
            .line(&format!("  {style}{mark}{style:#} {}", printable(text)))
    }

    /// The summary: which promises were kept. In JSON, the last line there is.
    pub(super) fn verdict(&self, promises: &Promises) -> Result<(), Error> {
        self.step(5, "Hold HubSpot's journal against the audit logs")?;
        for (promise, kept) in promises.all() {
            if kept {
                self.done(&promise)?
            } else {
                self.refused(&format!("BROKEN: {promise}"))?
            }
        }
        if self.output.is_json() {
            return self.output.json_line(&promises.summary());
        }
        Ok(())
    }
}
