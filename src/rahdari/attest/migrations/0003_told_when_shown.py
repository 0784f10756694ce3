"""Who is shown to be the one attested is told of it; whoever only typed the number is not."""

from django.db import migrations, models

# What is on record shows it: the address that was attested, the check that the applicant may apply for the company, or
# the association's answer about this very application. The check says the same as the use.
SHOWN = """
UPDATE attest_attestationuse AS used SET tie = CASE
    WHEN attested.identifier_kind = 'email' THEN 'address'
    WHEN attested.identifier_kind = 'company' AND EXISTS (
        SELECT FROM checks_check AS tied
        WHERE tied.subject = used.subject AND tied.kind = 'represents' AND tied.outcome = 'passed'
    ) THEN 'represents'
    WHEN EXISTS (
        SELECT FROM checks_check AS asked
        JOIN attest_membershipinquiry AS question ON question.subject = 'check:' || asked.id
        WHERE asked.subject = used.subject AND asked.kind = 'attestation'
            AND question.attestation_id = used.attestation_id
    ) THEN 'association'
    ELSE ''
END
FROM attest_attestation AS attested WHERE attested.id = used.attestation_id;

UPDATE checks_check AS told SET evidence = told.evidence || jsonb_build_object('shown_by', used.tie)
FROM attest_attestationuse AS used JOIN attest_attestation AS attested ON attested.id = used.attestation_id
WHERE used.tie <> '' AND told.subject = used.subject AND told.kind = 'attestation'
    AND told.evidence ->> 'attestation' = attested.number;

SET CONSTRAINTS ALL IMMEDIATE;
"""
TIES = ["", "address", "represents", "association", "number", "before"]


class Migration(migrations.Migration):
    dependencies = [("attest", "0002_renewed"), ("checks", "0004_looked_for")]

    operations = [
        migrations.AddField(
            "attestationuse",
            "tie",
            models.CharField(blank=True, choices=[(each, each) for each in TIES[1:]], default="", max_length=12),
            preserve_default=False,
        ),
        migrations.RunSQL(SHOWN),
        migrations.AddConstraint(
            "attestationuse", models.CheckConstraint(condition=models.Q(tie__in=TIES), name="use_has_a_known_tie")
        ),
    ]
