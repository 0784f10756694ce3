"""What some services cost: invoices, payments, receipts."""
