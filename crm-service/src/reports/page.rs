//! A report as sections of rows: what its forms for people are written from.

/// What a report says, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// What stands before everything else: a name and a value each.
    pub(super) facts: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    /// What nobody has stated, and what to do.
    pub(super) gaps: Vec<String>,
}

/// Rows under a heading.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// What the rows mean, in a sentence.
    pub(super) about: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
    /// The column that is drawn, beside the first one as its name.
    pub(super) drawn: Option<usize>,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Whether it holds numbers.
    pub(super) is_number: bool,
}

/// A column of words.
pub(super) const fn words(name: &'static str) -> Column {
    Column {
        name,
        is_number: false,
    }
}

/// A column of numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column {
        name,
        is_number: true,
    }
}

impl Page {
    /// A page that begins with these facts.
    pub(super) fn with(facts: Vec<(&str, String)>) -> Self {
        Self {
            facts: facts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            ..Self::default()
        }
    }

    /// Adds a section; one without rows says so.
    pub(super) fn section(
        &mut self,
        title: &'static str,
        about: &'static str,
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    ) {
        self.sections.push(Section {
            title,
            about,
            columns,
            rows,
            drawn: None,
        });
    }

    /// Adds a section of which one column is drawn.
    pub(super) fn drawn(
        &mut self,
        drawn: usize,
        title: &'static str,
        about: &'static str,
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    ) {
        self.section(title, about, columns, rows);
        if let Some(section) = self.sections.last_mut() {
            section.drawn = Some(drawn);
        }
    }
}
