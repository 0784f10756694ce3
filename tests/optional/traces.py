"""By what a reader would know of a room that is left out."""

# In the words of a page, in either language.
ON_PAGES = {
    "sms": r"\bSMS\b|account/number|ایس ایم ایس",
    "remote": r"work from home|from home\b|remote.staff|گھر سے",
    "vantage": r"\bvantage",
    "mobile": r"register your mobile number|number of a SIM|your SIM\b",
    "dyndns": r"changing address|changes from time to time|dynamic DNS|router",
    "attest": r"attest(s|ed|ations?)\b",
    "share": r"(ask|asks|agree) to share|shared addresses",
    "fees": r"invoice|receipt number|bank statement|\bpay\b|فیس کا بل",
    "urgent": r"list a new address now|listed before (its|their) proof|because you are cut off|desk/urgent",
}
# In the names of the workflow's steps.
STEPS = {
    "sms": r"\bsms\b",
    "remote": r"^remote",
    "fees": r"^fees",
    "share": r"^share",
    "vantage": r"vantage",
    "attest": r"^attest",
    "dyndns": r"^dyndns",
    "mobile": r"^mobile",
    "urgent": r"^urgent",
}
# In the names of operations, shapes, scopes and events in the contracts of both interfaces.
IN_CONTRACTS = {
    "sms": r"sms|mobile/code",
    "remote": r"remote|home.?line",
    "fees": r"invoice|payment",
    # Not the shares of the address space that a planned change cuts.
    "share": r"shar(e(?!s$)|ing)",
    "vantage": r"vantage",
    "attest": r"attestation|objection",
    "dyndns": r"connections|dyndns",
    "mobile": r"mobile(?!Line$)",
    "urgent": r"urgent",
}
