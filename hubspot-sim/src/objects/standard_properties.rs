//! The properties that HubSpot itself defines, by object type.

use super::kind::ObjectType;
use super::properties::PropertyKind::{self, Bool, Choice, Number, Text, Time};

/// Set by HubSpot, never by a caller.
pub(super) const KEPT_BY_HUBSPOT: &[(&str, PropertyKind)] = &[
    ("hs_object_id", Number),
    ("createdate", Time),
    ("hs_createdate", Time),
    ("lastmodifieddate", Time),
    ("hs_lastmodifieddate", Time),
    ("hs_created_by_user_id", Number),
    ("hs_updated_by_user_id", Number),
    ("hs_merged_object_ids", Text),
];

/// On every type.
pub(super) const COMMON: &[(&str, PropertyKind)] = &[
    ("hubspot_owner_id", Choice),
    ("hubspot_team_id", Choice),
    ("hs_unique_creation_key", Text),
];

/// The standard properties of one type, besides those that every type has.
pub(super) fn own(object: ObjectType) -> &'static [(&'static str, PropertyKind)] {
    match object {
        ObjectType::Contacts => CONTACT,
        ObjectType::Companies => COMPANY,
        ObjectType::Deals => DEAL,
        ObjectType::Tickets => TICKET,
        ObjectType::Notes => NOTE,
        ObjectType::Tasks => TASK,
        ObjectType::Calls => CALL,
        ObjectType::Emails => EMAIL,
        ObjectType::Meetings => MEETING,
        ObjectType::LineItems => LINE_ITEM,
        ObjectType::Products => PRODUCT,
        ObjectType::Quotes => QUOTE,
        ObjectType::Custom(_) => &[],
    }
}

const CONTACT: &[(&str, PropertyKind)] = &[
    ("email", Text),
    ("firstname", Text),
    ("lastname", Text),
    ("salutation", Text),
    ("phone", Text),
    ("mobilephone", Text),
    ("company", Text),
    ("jobtitle", Text),
    ("website", Text),
    ("address", Text),
    ("city", Text),
    ("state", Text),
    ("zip", Text),
    ("country", Text),
    ("date_of_birth", Text),
    ("lifecyclestage", Choice),
    ("hs_lead_status", Choice),
    ("hs_language", Choice),
    ("hs_email_optout", Bool),
    ("hs_email_domain", Text),
    ("annualrevenue", Text),
    ("numemployees", Choice),
    ("message", Text),
    ("notes_last_contacted", Time),
    ("associatedcompanyid", Number),
    ("hs_additional_emails", Text),
];

const COMPANY: &[(&str, PropertyKind)] = &[
    ("name", Text),
    ("domain", Text),
    ("website", Text),
    ("description", Text),
    ("phone", Text),
    ("address", Text),
    ("city", Text),
    ("state", Text),
    ("zip", Text),
    ("country", Text),
    ("industry", Choice),
    ("type", Choice),
    ("lifecyclestage", Choice),
    ("numberofemployees", Number),
    ("annualrevenue", Number),
    ("founded_year", Text),
    ("timezone", Text),
    ("linkedin_company_page", Text),
];

const DEAL: &[(&str, PropertyKind)] = &[
    ("dealname", Text),
    ("dealstage", Choice),
    ("pipeline", Choice),
    ("amount", Number),
    ("amount_in_home_currency", Number),
    ("deal_currency_code", Choice),
    ("closedate", Time),
    ("dealtype", Choice),
    ("description", Text),
    ("hs_priority", Choice),
    ("hs_deal_stage_probability", Number),
    ("closed_lost_reason", Text),
    ("closed_won_reason", Text),
    ("hs_next_step", Text),
];

const TICKET: &[(&str, PropertyKind)] = &[
    ("subject", Text),
    ("content", Text),
    ("hs_pipeline", Choice),
    ("hs_pipeline_stage", Choice),
    ("hs_ticket_priority", Choice),
    ("hs_ticket_category", Choice),
    ("hs_resolution", Choice),
    ("source_type", Choice),
    ("closed_date", Time),
];

const NOTE: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_note_body", Text),
    ("hs_attachment_ids", Text),
    ("hs_body_preview", Text),
];

const TASK: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_task_subject", Text),
    ("hs_task_body", Text),
    ("hs_task_status", Choice),
    ("hs_task_priority", Choice),
    ("hs_task_type", Choice),
    ("hs_task_reminders", Text),
    ("hs_task_completion_date", Time),
];

const CALL: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_call_title", Text),
    ("hs_call_body", Text),
    ("hs_call_direction", Choice),
    ("hs_call_disposition", Choice),
    ("hs_call_duration", Number),
    ("hs_call_from_number", Text),
    ("hs_call_to_number", Text),
    ("hs_call_recording_url", Text),
    ("hs_call_status", Choice),
];

const EMAIL: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_email_direction", Choice),
    ("hs_email_status", Choice),
    ("hs_email_subject", Text),
    ("hs_email_text", Text),
    ("hs_email_html", Text),
    ("hs_email_headers", Text),
    ("hs_attachment_ids", Text),
];

const MEETING: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_meeting_title", Text),
    ("hs_meeting_body", Text),
    ("hs_internal_meeting_notes", Text),
    ("hs_meeting_location", Text),
    ("hs_meeting_external_url", Text),
    ("hs_meeting_start_time", Time),
    ("hs_meeting_end_time", Time),
    ("hs_meeting_outcome", Choice),
];

const LINE_ITEM: &[(&str, PropertyKind)] = &[
    ("name", Text),
    ("description", Text),
    ("hs_product_id", Number),
    ("hs_sku", Text),
    ("quantity", Number),
    ("price", Number),
    ("amount", Number),
    ("discount", Number),
    ("hs_line_item_currency_code", Choice),
    ("recurringbillingfrequency", Choice),
];

const PRODUCT: &[(&str, PropertyKind)] = &[
    ("name", Text),
    ("description", Text),
    ("price", Number),
    ("hs_sku", Text),
    ("hs_cost_of_goods_sold", Number),
    ("hs_recurring_billing_period", Text),
    ("hs_product_type", Choice),
];

const QUOTE: &[(&str, PropertyKind)] = &[
    ("hs_title", Text),
    ("hs_expiration_date", Time),
    ("hs_status", Choice),
    ("hs_currency", Choice),
    ("hs_quote_amount", Number),
    ("hs_language", Choice),
    ("hs_locale", Choice),
    ("hs_proposal_domain", Text),
    ("hs_public_url_key", Text),
    ("hs_sender_email", Text),
];
