"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("fees.issued_invoice", event=Event("invoice.issued")),
    Act("fees.matched_payment", event=Event("invoice.paid")),
    Act("fees.voided_invoice", event=Event("invoice.voided")),
)
declare_unshown("fees", "imported_statement set_payment_aside recorded_refund")
