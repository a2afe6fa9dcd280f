//! Conditions of a search as they are written on the command line: `--where 'email EQ ann@b.example'`. Several hold
//! together; `--or` begins another group, and a record that passes any group is found.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};
use hubkeep_proto::crm::v1::{Filter, FilterGroup, FilterOperator};

const WHERE: &str = "where";
const OR: &str = "or";

/// The groups of `--where` and `--or`.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    pub(super) groups: Vec<FilterGroup>,
}

/// Written by hand because the order of the two options among each other matters.
impl Args for Filters {
    fn augment_args(command: Command) -> Command {
        let condition = Arg::new(WHERE)
            .long(WHERE)
            .action(ArgAction::Append)
            .value_name("CONDITION")
            .value_parser(parse)
            .help("A condition: 'email EQ a@b.example'; several must all hold")
            .long_help(HELP);
        let or = Arg::new(OR)
            .long(OR)
            .action(ArgAction::Append)
            // A flag that remembers where it stood: an option without a value.
            .num_args(0)
            .value_parser(clap::value_parser!(bool))
            .default_missing_value("true")
            .help("Begin another group: a record that passes any group is found");
        command.arg(condition).arg(or)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Filters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let places = |id: &str| matches.indices_of(id).into_iter().flatten();
        let conditions = matches.get_many::<Filter>(WHERE).into_iter().flatten();
        let mut parts: Vec<(usize, Option<Filter>)> =
            places(WHERE).zip(conditions.cloned().map(Some)).collect();
        parts.extend(places(OR).map(|place| (place, None)));
        parts.sort_by_key(|(place, _)| *place);
        let has_or = parts.iter().any(|(_, part)| part.is_none());
        let groups = grouped(parts.into_iter().map(|(_, part)| part));
        // A group without a condition would be passed by every record, and is hardly meant.
        let is_empty = |group: &FilterGroup| group.filters.is_empty();
        if has_or && groups.iter().any(is_empty) {
            let fault = "--or stands between two groups of conditions: give it a --where on either side\n";
            return Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, fault));
        }
        Ok(Self {
            groups: groups.into_iter().filter(|group| !is_empty(group)).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

const HELP: &str = "\
A condition: PROPERTY OPERATOR [VALUE]. Several must all hold, until --or begins another group.
  'email EQ ann@b.example'      also NEQ, LT, LTE, GT, GTE (or = != < <= > >=)
  'amount BETWEEN 100 200'      both included
  'lifecyclestage IN lead,customer'    also NOT_IN
  'phone HAS_PROPERTY'          also NOT_HAS_PROPERTY
  'firstname CONTAINS_TOKEN an*'       also NOT_CONTAINS_TOKEN";

/// Filters between two `--or` are a group.
fn grouped(parts: impl Iterator<Item = Option<Filter>>) -> Vec<FilterGroup> {
    let mut groups = vec![FilterGroup::default()];
    for part in parts {
        match (part, groups.last_mut()) {
            (Some(filter), Some(group)) => group.filters.push(filter),
            _ => groups.push(FilterGroup::default()),
        }
    }
    groups
}

/// Reads one condition.
fn parse(text: &str) -> Result<Filter, String> {
    let text = text.trim();
    let (property, rest) = text.split_once(char::is_whitespace).ok_or_else(usage)?;
    let rest = rest.trim_start();
    let (word, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let operator = operator(word)?;
    let mut filter = Filter {
        property: property.to_owned(),
        operator: operator.into(),
        ..Filter::default()
    };
    fill(&mut filter, operator, word, value.trim())?;
    Ok(filter)
}

/// Puts the value where the operator wants it.
fn fill(filter: &mut Filter, operator: FilterOperator, word: &str, value: &str) -> Result<(), String> {
    use FilterOperator as Op;
    match operator {
        Op::HasProperty | Op::NotHasProperty if value.is_empty() => {}
        Op::HasProperty | Op::NotHasProperty => return Err(format!("{word} takes no value")),
        _ if value.is_empty() => return Err(format!("{word} needs a value")),
        Op::Between => {
            let (low, high) = value
                .split_once(char::is_whitespace)
                .map(|(low, high)| (low, high.trim()))
                .filter(|(_, high)| !high.contains(char::is_whitespace))
                .ok_or_else(|| format!("{word} needs two values: 'amount {word} 100 200'"))?;
            (filter.value, filter.high_value) = (low.to_owned(), high.to_owned());
        }
        Op::In | Op::NotIn => {
            filter.values = value.split(',').map(|one| one.trim().to_owned()).collect();
        }
        _ => value.clone_into(&mut filter.value),
    }
    Ok(())
}

fn operator(word: &str) -> Result<FilterOperator, String> {
    let name = match word {
        "=" | "==" => "EQ",
        "!=" => "NEQ",
        "<" => "LT",
        "<=" => "LTE",
        ">" => "GT",
        ">=" => "GTE",
        other => other,
    };
    FilterOperator::from_str_name(&format!("FILTER_OPERATOR_{}", name.to_uppercase()))
        .filter(|operator| *operator != FilterOperator::Unspecified)
        .ok_or_else(|| format!("{word} is no operator; {}", usage()))
}

fn usage() -> String {
    "expected PROPERTY OPERATOR VALUE, for example 'email EQ ann@b.example'".to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    fn groups(line: &[&str]) -> Vec<Vec<String>> {
        let line = Line::try_parse_from(["x"].iter().chain(line)).expect("parses");
        let properties =
            |group: FilterGroup| group.filters.into_iter().map(|filter| filter.property).collect();
        line.filters.groups.into_iter().map(properties).collect()
    }

    #[test]
    fn conditions_stand_together_until_or_begins_another_group() {
        let line = [
            "--where", "a EQ 1", "--where", "b EQ 2", "--or", "--where", "c EQ 3",
        ];
        assert_eq!(groups(&line), [vec!["a", "b"], vec!["c"]]);
        let line = [
            "--where", "a EQ 1", "--or", "--where", "b EQ 2", "--or", "--where", "c EQ 3",
        ];
        assert_eq!(groups(&line), [["a"], ["b"], ["c"]]);
    }

    #[test]
    fn a_group_without_conditions_is_refused() {
        assert!(groups(&[]).is_empty());
        for line in [
            &["--or"][..],
            &["--where", "a EQ 1", "--or"],
            &["--or", "--where", "a EQ 1"],
            &["--where", "a EQ 1", "--or", "--or", "--where", "b EQ 2"],
        ] {
            let refused = Line::try_parse_from(["x"].iter().chain(line))
                .err()
                .expect("refused");
            assert!(refused.to_string().contains("--where on either side"), "{line:?}");
        }
    }

    #[test]
    fn a_value_keeps_its_spaces_and_words_may_be_written_small() {
        let filter = parse("  company  eq  Acme  Corporation ").expect("parses");
        assert_eq!(
            (filter.property.as_str(), filter.value.as_str()),
            ("company", "Acme  Corporation")
        );
        assert_eq!(filter.operator(), FilterOperator::Eq);
    }

    #[test]
    fn every_operator_puts_its_value_where_the_wire_wants_it() {
        let between = parse("amount BETWEEN 100 200").expect("parses");
        assert_eq!(
            (between.value.as_str(), between.high_value.as_str()),
            ("100", "200")
        );
        let one_of = parse("stage IN lead, customer").expect("parses");
        assert_eq!(one_of.values, ["lead", "customer"]);
        let has = parse("phone HAS_PROPERTY").expect("parses");
        assert!(has.value.is_empty() && has.values.is_empty());
        for (sign, operator) in [
            ("=", FilterOperator::Eq),
            ("!=", FilterOperator::Neq),
            (">=", FilterOperator::Gte),
        ] {
            assert_eq!(
                parse(&format!("a {sign} 1")).expect("parses").operator(),
                operator
            );
        }
    }

    #[test]
    fn what_is_no_condition_says_what_one_looks_like() {
        for (bad, told) in [
            ("email", "expected PROPERTY OPERATOR VALUE"),
            ("email LIKE x", "LIKE is no operator"),
            ("email UNSPECIFIED x", "is no operator"),
            ("email EQ", "EQ needs a value"),
            ("email HAS_PROPERTY x", "takes no value"),
            ("amount BETWEEN 1", "needs two values"),
            ("amount BETWEEN 1 2 3", "needs two values"),
        ] {
            let error = parse(bad).expect_err(bad);
            assert!(error.contains(told), "{bad}: {error}");
        }
    }
}
