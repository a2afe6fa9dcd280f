//! What a contract between business and service provider must say: 11 CCR 7051(a), with Civil Code 1798.100(d).

use serde::{Deserialize, Serialize};

/// A term of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Personal information is neither sold nor shared.
    NoSaleOrSharing,
    /// The specific business purposes are named.
    SpecificPurposes,
    /// It serves no other purpose than these.
    NoOtherPurpose,
    /// Nor another commercial purpose.
    NoOtherCommercialPurpose,
    /// It is not used outside the direct relationship, nor brought together with that of others.
    NoUseOutsideRelationship,
    /// The same protection is given as the business must give, with help and reasonable security.
    SameProtection,
    /// The business may check: by reviews, scans and audits, at least each 12 months.
    RightToCheck,
    /// It is told within five business days that obligations can no longer be met.
    NoticeOfInability,
    /// It may stop and remediate unauthorized use.
    RightToStop,
    /// The provider enables it to answer consumers' requests.
    ConsumerRequests,
}

impl Term {
    /// All of them, in the order of the regulation.
    pub const ALL: [Self; 10] = [
        Self::NoSaleOrSharing,
        Self::SpecificPurposes,
        Self::NoOtherPurpose,
        Self::NoOtherCommercialPurpose,
        Self::NoUseOutsideRelationship,
        Self::SameProtection,
        Self::RightToCheck,
        Self::NoticeOfInability,
        Self::RightToStop,
        Self::ConsumerRequests,
    ];

    /// Its key in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSaleOrSharing => "no_sale_or_sharing",
            Self::SpecificPurposes => "specific_purposes",
            Self::NoOtherPurpose => "no_other_purpose",
            Self::NoOtherCommercialPurpose => "no_other_commercial_purpose",
            Self::NoUseOutsideRelationship => "no_use_outside_relationship",
            Self::SameProtection => "same_protection",
            Self::RightToCheck => "right_to_check",
            Self::NoticeOfInability => "notice_of_inability",
            Self::RightToStop => "right_to_stop",
            Self::ConsumerRequests => "consumer_requests",
        }
    }

    /// What it says.
    pub const fn says(self) -> &'static str {
        match self {
            Self::NoSaleOrSharing => "personal information is neither sold nor shared",
            Self::SpecificPurposes => "the specific business purposes are named",
            Self::NoOtherPurpose => "it is kept, used and disclosed for no other purpose",
            Self::NoOtherCommercialPurpose => "nor for another commercial purpose",
            Self::NoUseOutsideRelationship => {
                "it is not used outside the direct relationship, nor combined with that of others"
            }
            Self::SameProtection => {
                "it has the protection that the law asks of the business, with reasonable security"
            }
            Self::RightToCheck => "the business may check, by reviews, scans and audits, each 12 months",
            Self::NoticeOfInability => "it hears within five business days if obligations cannot be met",
            Self::RightToStop => "it may stop and remediate unauthorized use",
            Self::ConsumerRequests => "it is enabled to answer the requests of consumers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_called_in_reports_as_in_the_configuration() {
        for term in Term::ALL {
            assert_eq!(serde_json::to_value(term).expect("writes"), term.name());
        }
    }
}
