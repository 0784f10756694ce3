import django.utils.timezone
import rahdari.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.TextField()),
                ("email_index", rahdari.vault.fields.BlindIndexField(of="email", purpose="people.email", unique=True)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("language", models.CharField(choices=[("en", "English"), ("ur", "اردو")], default="en", max_length=2)),
                ("holder_ref", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email_index", ""), _negated=True), name="person_has_an_email"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("manager", "Manager"),
                            ("technician", "Technician"),
                            ("accountant", "Accountant"),
                            ("viewer", "Viewer"),
                        ],
                        default="viewer",
                        max_length=10,
                    ),
                ),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=models.PROTECT, related_name="memberships", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["joined_at", "id"]},
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "name_index",
                    rahdari.vault.fields.BlindIndexField(folded=True, of="name", purpose="people.organisation_name"),
                ),
                ("company_number", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "company_number_index",
                    rahdari.vault.fields.BlindIndexField(
                        db_index=True, of="company_number", purpose="people.company_number"
                    ),
                ),
                ("ntn", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("holder_ref", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "members",
                    models.ManyToManyField(
                        related_name="organisations", through="people.Membership", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["created_at", "id"]},
        ),
        migrations.AddField(
            model_name="membership",
            name="organisation",
            field=models.ForeignKey(on_delete=models.PROTECT, related_name="memberships", to="people.organisation"),
        ),
        migrations.CreateModel(
            name="Mandate",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("email_index", rahdari.vault.fields.BlindIndexField(of="email", purpose="people.email")),
                ("agent_name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "scope",
                    models.CharField(
                        choices=[("apply", "apply"), ("addresses", "addresses"), ("see", "see")], max_length=10
                    ),
                ),
                ("services", models.CharField(blank=True, max_length=500)),
                ("given_at", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="mandates",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="mandates", to="people.organisation"),
                ),
            ],
            options={"ordering": ["-given_at", "id"]},
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", rahdari.vault.fields.EncryptedTextField(blank=True, bound_to="organisation_id", default="")),
                ("email_index", rahdari.vault.fields.BlindIndexField(of="email", purpose="people.email")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("manager", "Manager"),
                            ("technician", "Technician"),
                            ("accountant", "Accountant"),
                            ("viewer", "Viewer"),
                        ],
                        default="viewer",
                        max_length=10,
                    ),
                ),
                ("invited_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="invitations", to="people.organisation"),
                ),
            ],
            options={"ordering": ["invited_at", "id"]},
        ),
        migrations.CreateModel(
            name="Branch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                (
                    "name_index",
                    rahdari.vault.fields.BlindIndexField(folded=True, of="name", purpose="people.branch_name"),
                ),
                ("city", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("address", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("contact_name", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("contact_email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("contact_mobile", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
                ("added_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="branches", to="people.organisation"),
                ),
            ],
            options={"ordering": ["added_at", "id"]},
        ),
        migrations.CreateModel(
            name="RoleAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("officer", "Officer"),
                            ("supervisor", "Supervisor"),
                            ("operator", "Operator"),
                            ("administrator", "Administrator"),
                            ("accounts", "Accounts"),
                            ("association", "Association"),
                        ],
                        max_length=20,
                    ),
                ),
                ("rank", models.CharField(blank=True, max_length=20)),
                ("operator", models.SlugField(blank=True, max_length=60)),
                ("association", models.SlugField(blank=True, max_length=60)),
                ("appointed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="posts", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"ordering": ["appointed_at", "id"]},
        ),
        migrations.CreateModel(
            name="ProposedRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("officer", "Officer"),
                            ("supervisor", "Supervisor"),
                            ("operator", "Operator"),
                            ("administrator", "Administrator"),
                            ("accounts", "Accounts"),
                            ("association", "Association"),
                        ],
                        max_length=20,
                    ),
                ),
                ("rank", models.CharField(blank=True, max_length=20)),
                ("proposed_at", models.DateTimeField()),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("user", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"ordering": ["proposed_at", "id"]},
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("user", "organisation"), name="person_belongs_once"),
        ),
        migrations.AddConstraint(
            model_name="mandate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("accepted_at__isnull", True), ("agent__isnull", True)),
                    models.Q(("accepted_at__isnull", False), ("agent__isnull", False)),
                    _connector="OR",
                ),
                name="mandate_names_its_agent_once_accepted",
            ),
        ),
        migrations.AddIndex(
            model_name="invitation", index=models.Index(fields=["email_index"], name="invitation_by_address")
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(fields=("organisation", "email_index"), name="address_is_invited_once"),
        ),
        migrations.AddConstraint(
            model_name="branch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("organisation", "name_index"),
                name="branch_has_a_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("operator__gt", ""), ("role", "operator")),
                    models.Q(models.Q(("role", "operator"), _negated=True), ("operator", "")),
                    _connector="OR",
                ),
                name="post_names_operator_if_operators",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("association__gt", ""), ("role", "association")),
                    models.Q(models.Q(("role", "association"), _negated=True), ("association", "")),
                    _connector="OR",
                ),
                name="post_names_association_if_its",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rank", ""),
                    models.Q(("rank", "director"), ("role__in", ["officer", "supervisor"])),
                    _connector="OR",
                ),
                name="post_has_rank_if_officers",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("user", "role", "operator", "association"),
                name="post_is_held_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposedrole",
            constraint=models.UniqueConstraint(fields=("user", "role"), name="post_is_proposed_once"),
        ),
        migrations.AddConstraint(
            model_name="proposedrole",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", models.F("proposed_by")), _negated=True), name="nobody_gives_their_own"
            ),
        ),
    ]
