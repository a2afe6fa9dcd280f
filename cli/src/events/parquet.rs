//! Events as a Parquet file: the columns of every table, numbers that nobody knows as null.

use std::{io::Write, sync::Arc};

use ::parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use hubkeep_proto::audit::v1::Event;

use super::{
    Writer,
    row::{COLUMNS, Cell, cells},
};
use crate::errors::Error;

/// Events of a row group: what is held in memory.
const GROUP: usize = 20_000;

/// A file under way.
pub(super) struct Table<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// Rows that are not written yet.
    waiting: Vec<Vec<Cell>>,
}

impl<W: Write + Send> Table<W> {
    pub(super) fn begin(to: W) -> Result<Self, Error> {
        let columns = COLUMNS.map(|(name, is_number)| match is_number {
            true => format!("OPTIONAL INT64 {name};"),
            false => format!("REQUIRED BINARY {name} (STRING);"),
        });
        let schema = format!("message event {{ {} }}", columns.join(" "));
        let schema = Arc::new(parse_message_type(&schema).map_err(unwritten)?);
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(Self {
            file: SerializedFileWriter::new(to, schema, properties).map_err(unwritten)?,
            waiting: Vec::new(),
        })
    }

    /// Writes a row group, column by column.
    fn group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<Vec<Cell>> = COLUMNS.map(|_| Vec::with_capacity(rows.len())).into();
        for row in rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                column.push(cell);
            }
        }
        let mut group = self.file.next_row_group()?;
        for ((_, is_number), column) in COLUMNS.into_iter().zip(columns) {
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            if is_number {
                let levels: Vec<i16> = column
                    .iter()
                    .map(|cell| i16::from(*cell != Cell::Unknown))
                    .collect();
                let numbers: Vec<i64> = column.into_iter().filter_map(number).collect();
                writer
                    .typed::<Int64Type>()
                    .write_batch(&numbers, Some(&levels), None)?;
            } else {
                let texts: Vec<ByteArray> = column.into_iter().map(text).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
            }
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Writer for Table<W> {
    fn write(&mut self, event: &Event) -> Result<(), Error> {
        self.waiting.push(cells(event));
        if self.waiting.len() >= GROUP {
            self.group().map_err(unwritten)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.group().map_err(unwritten)?;
        self.file.finish().map_err(unwritten)?;
        Ok(self.file.inner_mut().flush()?)
    }
}

fn number(cell: Cell) -> Option<i64> {
    match cell {
        Cell::Number(number) => Some(number),
        Cell::Text(_) | Cell::Unknown => None,
    }
}

fn text(cell: Cell) -> ByteArray {
    match cell {
        Cell::Text(text) => ByteArray::from(text.into_bytes()),
        Cell::Number(_) | Cell::Unknown => ByteArray::from(Vec::new()),
    }
}

fn unwritten(error: ParquetError) -> Error {
    Error::Failed(format!("the Parquet file could not be written: {error}"))
}

#[cfg(test)]
mod tests {
    use ::parquet::{
        file::{reader::FileReader as _, serialized_reader::SerializedFileReader},
        record::Field,
    };
    use bytes::Bytes;
    use hubkeep_proto::audit::v1::{Entry, QuotaLeft};

    use super::*;

    #[test]
    fn what_was_written_is_read_by_its_columns() {
        let event = |position: u64| Event {
            position,
            entry: Some(Entry {
                caller: format!("=caller-{position}"),
                quota_left: position.is_multiple_of(2).then_some(QuotaLeft {
                    daily: Some(7),
                    interval: None,
                }),
                ..Entry::default()
            }),
            ..Event::default()
        };
        let count = GROUP as u64 + 5;
        let mut bytes = Vec::new();
        let mut table = Box::new(Table::begin(&mut bytes).expect("begins"));
        for position in 1..=count {
            table.write(&event(position)).expect("written");
        }
        table.finish().expect("ends");
        let file = SerializedFileReader::new(Bytes::from(bytes)).expect("a file");
        assert_eq!(file.metadata().num_row_groups(), 2);
        let mut read: u64 = 0;
        for row in file.get_row_iter(None).expect("rows") {
            read += 1;
            let row = row.expect("a row");
            let cell = |wanted: &str| {
                let found = row.get_column_iter().find(|(name, _)| *name == wanted);
                found.map(|(_, field)| field.clone()).expect("a column")
            };
            assert_eq!(cell("position"), Field::Long(i64::try_from(read).expect("small")));
            assert_eq!(
                cell("caller"),
                Field::Str(format!("=caller-{read}")),
                "no spreadsheet reads it"
            );
            let left = if read.is_multiple_of(2) {
                Field::Long(7)
            } else {
                Field::Null
            };
            assert_eq!(
                (cell("quota_daily_left"), cell("quota_interval_left")),
                (left, Field::Null)
            );
        }
        assert_eq!(read, count);
    }
}
