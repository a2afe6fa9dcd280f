//! Pairs of records in a file: CSV with a header, or JSON Lines. All of it is read before anything is sent.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use hubkeep_proto::crm::v1::AssociationLabel;
use serde_json::{Map, Value};

use super::{
    relate::label,
    rows::{Format, Holds, columns, json_lines, text},
};
use crate::errors::Error;

/// The columns, and the fields.
const FROM: &str = "from";
const TO: &str = "to";
const LABELS: &str = "labels";

#[derive(Args, Debug)]
pub(super) struct PairsArgs {
    /// CSV with a header, or JSON Lines; "-" for standard input. CSV: the columns "from" and "to", HubSpot's ids, and "labels" if
    /// there are any, such as 1;7:USER_DEFINED. JSON Lines: {"from": "101", "to": "201", "labels": ["1"]} on each line.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    holds: Holds,
}

/// Two records of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PairRow {
    /// Which row it is, from 1, without the header.
    pub(super) number: usize,
    /// HubSpot's id of the record from which it goes out.
    pub(super) from: String,
    /// HubSpot's id of the record at the other end.
    pub(super) to: String,
    /// Empty for the association without a label.
    pub(super) labels: Vec<AssociationLabel>,
}

impl PairsArgs {
    /// Every pair. Where they are taken apart they have no labels.
    ///
    /// # Errors
    /// With the first row that cannot be used. Nothing was sent then.
    pub(super) fn read(&self, with_labels: bool) -> Result<Vec<PairRow>, Error> {
        self.holds.read(Path::new(&self.file), |input, format| {
            rows(input, format, with_labels)
        })
    }
}

fn rows(input: impl Read, format: Format, with_labels: bool) -> Result<Vec<PairRow>, String> {
    let fields: Vec<Said> = match format {
        Format::Csv => of_csv(input)?,
        Format::Jsonl => json_lines(input).collect::<Result<_, _>>()?,
    };
    let word = match format {
        Format::Csv => "row",
        Format::Jsonl => "line",
    };
    let pairs = fields.into_iter().map(|(number, fields)| {
        pair(number, &fields, with_labels).map_err(|rule| format!("{word} {number}: {rule}"))
    });
    pairs.collect()
}

/// What a row says, and its number.
type Said = (usize, Map<String, Value>);

fn of_csv(input: impl Read) -> Result<Vec<Said>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let columns = columns(&mut reader)?;
    let records = (1..).zip(reader.into_records());
    let fields = records.map(|(number, record)| {
        let record = record.map_err(|error| format!("row {number}: {error}"))?;
        let cells = record.iter().map(|cell| Value::String(cell.to_owned()));
        Ok((number, columns.iter().cloned().zip(cells).collect()))
    });
    fields.collect()
}

fn pair(number: usize, fields: &Map<String, Value>, with_labels: bool) -> Result<PairRow, String> {
    let known = |name: &&String| [FROM, TO].contains(&name.as_str()) || (with_labels && *name == LABELS);
    if let Some(other) = fields.keys().find(|name| !known(name)) {
        let labels = if with_labels { ", and perhaps labels" } else { "" };
        return Err(format!("{other} is not known: {FROM} and {TO} are{labels}"));
    }
    let id = |name: &str| match fields.get(name).map(text).transpose() {
        Ok(Some(id)) if !id.is_empty() => Ok(id),
        Ok(_) => Err(format!("{name} is missing: HubSpot's id of a record")),
        Err(rule) => Err(format!("{name} {rule}")),
    };
    Ok(PairRow {
        number,
        from: id(FROM)?,
        to: id(TO)?,
        labels: labels(fields.get(LABELS))?,
    })
}

fn labels(value: Option<&Value>) -> Result<Vec<AssociationLabel>, String> {
    let words = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(words)) => {
            let words = words.iter().map(text).collect::<Result<_, _>>();
            words.map_err(|rule| format!("each of {LABELS} {rule}"))?
        }
        Some(value) => vec![text(value).map_err(|rule| format!("{LABELS} {rule}, or a list of these"))?],
    };
    let words = words.iter().flat_map(|words| words.split(';')).map(str::trim);
    let labels = words.filter(|word| !word.is_empty());
    let labels = labels.map(|word| label(word).map_err(|rule| format!("{LABELS}: {word}: {rule}")));
    labels.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(pair: &PairRow) -> Vec<(u32, &str)> {
        let kinds = pair.labels.iter();
        kinds
            .map(|label| (label.type_id, label.category.as_str()))
            .collect()
    }

    #[test]
    fn both_formats_say_the_same() {
        let csv = "from, to,labels\n101,201,1; 7:user_defined\n102,202,\n";
        let jsonl = "{\"from\":101,\"to\":\"201\",\"labels\":[1,\"7:USER_DEFINED\"]}\n\n{\"from\":\"102\",\"to\":\"202\"}\n";
        for (text, format) in [(csv, Format::Csv), (jsonl, Format::Jsonl)] {
            let read = rows(text.as_bytes(), format, true).expect("reads");
            assert_eq!(read.len(), 2, "{format:?}");
            assert_eq!((read[0].from.as_str(), read[0].to.as_str()), ("101", "201"));
            assert_eq!(kinds(&read[0]), [(1, ""), (7, "USER_DEFINED")]);
            assert_eq!(kinds(&read[1]), []);
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_row() {
        for (text, with_labels, told) in [
            ("from\n1\n", true, "row 1: to is missing"),
            ("from,to\n1,2\n,2\n", true, "row 2: from is missing"),
            ("from,to,label\n1,2,3\n", true, "label is not known"),
            (
                "from,to,labels\n1,2,3\n",
                false,
                "labels is not known: from and to are",
            ),
            (
                "from,to,labels\n1,2,x\n",
                true,
                "row 1: labels: x: expected HubSpot's id",
            ),
            ("from,from\n1,2\n", true, "two columns are called from"),
        ] {
            let fault = rows(text.as_bytes(), Format::Csv, with_labels).expect_err(text);
            assert!(fault.contains(told), "{text:?}: {fault}");
        }
        for (text, told) in [
            ("{\"from\":[1],\"to\":\"2\"}", "line 1: from must be text"),
            (
                "{\"from\":1,\"to\":2,\"labels\":{}}",
                "line 1: labels must be text",
            ),
            ("[]", "line 1"),
        ] {
            let fault = rows(text.as_bytes(), Format::Jsonl, true).expect_err(text);
            assert!(fault.contains(told), "{text:?}: {fault}");
        }
    }
}
