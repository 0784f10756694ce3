"""How a program goes on from an answer: from what was made or listed to the operations about it. Pure."""

APPLICATION, REGISTRATION = "/applications/{reference}", "/registrations/{reference}"
# Of an operation: the address of what its answer names, which part of that address it is, and where it stands.
LEADS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "list_applications": ((APPLICATION, "reference", "/items/0/reference"),),
    "begin_application": ((APPLICATION, "reference", "/reference"),),
    "list_endpoints": ((f"{APPLICATION}/endpoints/{{endpoint}}", "endpoint", "/items/0/id"),),
    "add_endpoint": ((f"{APPLICATION}/endpoints/{{endpoint}}", "endpoint", "/id"),),
    "upload_document": ((f"{APPLICATION}/documents/{{document}}", "document", "/id"),),
    "send_address_file": ((f"{APPLICATION}/address-files/{{file}}", "file", "/id"),),
    "list_address_files": ((f"{APPLICATION}/address-files/{{file}}", "file", "/items/0/id"),),
    "open_proof": ((f"{APPLICATION}/endpoints/{{endpoint}}/proof/{{method}}", "method", "/method"),),
    "list_complaints": (
        (f"{APPLICATION}/complaints/{{number}}", "number", "/items/0/number"),
        (f"{APPLICATION}/complaint-files/{{document}}", "document", "/items/0/files/0/id"),
    ),
    "add_complaint_answer_file": (
        (f"{APPLICATION}/complaints/{{number}}/answer-files/{{document}}", "document", "/id"),
    ),
    "list_registrations": ((REGISTRATION, "reference", "/items/0/reference"),),
    "list_planned_work": (("/planned-work/{number}", "number", "/items/0/number"),),
    "list_incidents": ((f"{REGISTRATION}/incidents/{{number}}", "number", "/items/0/number"),),
    "renew_registration": ((APPLICATION, "reference", "/reference"),),
    "change_registration": ((APPLICATION, "reference", "/reference"),),
    "get_remote_staff": ((f"{REGISTRATION}/remote-staff/lines/{{line}}", "line", "/lines/0/line"),),
    "make_remote_links": ((f"{REGISTRATION}/remote-staff/lines/{{line}}", "line", "/items/0/line"),),
    "list_organisations": (("/organisations/{organisation}", "organisation", "/items/0/id"),),
    "add_branch": (("/organisations/{organisation}/branches/{branch}", "branch", "/id"),),
    "list_branches": (("/organisations/{organisation}/branches/{branch}", "branch", "/items/0/id"),),
    "give_mandate": (("/organisations/{organisation}/mandates/{mandate}", "mandate", "/id"),),
    "list_mandates_held": (("/mandates/{mandate}", "mandate", "/held/0/id"),),
    "list_applicants": (("/organisations/{organisation}/applicants/{applicant}", "applicant", "/items/0/id"),),
    "list_sharing": (
        ("/sharing/questions/{question}", "question", "/questions/0/id"),
        ("/sharing/parts/{part}", "part", "/shared/0/others/0/part"),
    ),
    "list_attestations": (("/attestations/{attestation}", "attestation", "/items/0/number"),),
    "list_invoices": (("/invoices/{number}", "number", "/items/0/number"),),
    "list_letters": (("/letters/{id}", "id", "/items/0/id"),),
    "make_webhook": (("/webhooks/{id}", "id", "/webhook/id"),),
    "test_webhook": (("/webhooks/{id}/deliveries/{delivery}", "delivery", "/id"),),
    "list_services": (("/services/{key}", "key", "/services/0/key"),),
    "get_registration": (
        (f"{REGISTRATION}/entries/{{entry}}", "entry", "/entries/0/id"),
        (f"{REGISTRATION}/connections/{{connection}}", "connection", "/connections/0/id"),
    ),
    "get_address_file": ((f"{APPLICATION}/address-files/{{file}}/rows/{{line}}", "line", "/rows/0/line"),),
}
