import rahdari.vault.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="InvoiceCounter",
            fields=[
                ("month", models.CharField(max_length=4, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("form", models.CharField(max_length=10)),
                ("account", models.CharField(blank=True, max_length=4)),
                ("imported_at", models.DateTimeField()),
                ("imported_by", models.CharField(max_length=120)),
                ("credits", models.PositiveIntegerField()),
                ("new", models.PositiveIntegerField()),
                ("matched", models.PositiveIntegerField()),
                ("passed_over", models.PositiveIntegerField()),
                ("first_on", models.DateField(blank=True, null=True)),
                ("last_on", models.DateField(blank=True, null=True)),
            ],
            options={"ordering": ["-imported_at", "id"]},
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=16, unique=True)),
                ("reference", models.CharField(max_length=25, unique=True)),
                ("subject", models.CharField(max_length=120)),
                ("about", models.CharField(max_length=20)),
                ("holder", models.UUIDField()),
                ("service", models.CharField(max_length=60)),
                ("addresses", models.PositiveIntegerField()),
                ("earlier", models.PositiveIntegerField()),
                ("each", models.DecimalField(decimal_places=2, max_digits=12)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("issued_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                ("voided_why", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "ordering": ["-issued_at", "-number"],
                "indexes": [
                    models.Index(fields=["holder", "-issued_at"], name="invoices_of_a_holder"),
                    models.Index(
                        condition=models.Q(("paid_at__isnull", True), ("voided_at__isnull", True)),
                        fields=["due_at"],
                        name="invoices_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("voided_at__isnull", True)),
                        fields=("subject",),
                        name="one_invoice_that_is_not_void",
                    ),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="invoice_asks_for_something"),
                    models.CheckConstraint(
                        condition=models.Q(("paid_at__isnull", True), ("voided_at__isnull", True), _connector="OR"),
                        name="invoice_is_not_paid_and_void",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("bank_id", models.CharField(max_length=80, unique=True)),
                ("booked_on", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("text", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("payer", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("why_not", models.CharField(blank=True, max_length=30)),
                ("matched_at", models.DateTimeField(blank=True, null=True)),
                ("matched_by", models.CharField(blank=True, max_length=120)),
                ("set_aside_at", models.DateTimeField(blank=True, null=True)),
                ("set_aside_why", models.CharField(blank=True, max_length=300)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, related_name="payments", to="fees.invoice"
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="payments", to="fees.statement"),
                ),
            ],
            options={"ordering": ["booked_on", "id"]},
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("why", models.CharField(max_length=300)),
                ("bank_id", models.CharField(blank=True, max_length=80)),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by", models.CharField(max_length=120)),
                ("payment", models.ForeignKey(on_delete=models.PROTECT, related_name="refunds", to="fees.payment")),
            ],
            options={
                "ordering": ["recorded_at", "id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_is_of_something")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("invoice__isnull", True), ("set_aside_at__isnull", True)),
                fields=["booked_on"],
                name="payments_that_wait",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_is_a_credit"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invoice__isnull", True), ("matched_at__isnull", True)),
                    models.Q(("invoice__isnull", False), ("matched_at__isnull", False), ("set_aside_at__isnull", True)),
                    _connector="OR",
                ),
                name="payment_is_matched_at_a_moment",
            ),
        ),
    ]
