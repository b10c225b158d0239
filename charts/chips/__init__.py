"""Charts of chips and export controls: a reading of published rules, not legal advice."""

NOT_ADVICE = "A reading of published rules, not legal advice."
OUTCOME_WORDS = {
    "no_clause_met": "no clause met",
    "licence_required": "licence required",
    "licence_presumption_of_denial": "licence, presumption of denial",
    "licence_case_by_case": "licence, case by case",
    "notification_nac": "notification (NAC)",
    "company_letter": "company letter",
    "revenue_share_or_tariff": "revenue share or tariff",
    "unknown": "unknown",
}
