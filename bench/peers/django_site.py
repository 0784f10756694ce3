"""Two sites beside which an application is measured: Django alone, and django-helpdesk.

Loaded by granian in an environment of its own, which has nothing of ours. `SITE` says which, `DSN` is the database.
Django alone has what each of our pages has as well: a session and a person in the database, protection against forged
forms, messages, a navigation by one query, a form of five fields that is checked and saved. It does nothing else.
"""

# mypy: ignore-errors
# Its settings are not ours, and the helpdesk is not in our environment.

import os
from typing import Any

import django
from django.conf import settings

HELPDESK = os.environ["SITE"] == "django-helpdesk"
MINE = ["django.contrib.humanize", "django.contrib.sites", "django.contrib.admin", "rest_framework", "helpdesk"]
BASE = """<!doctype html><html lang="en"><head><title>{% block title %}{% endblock %}</title></head><body>
<nav>{% for each in parts %}<a href="{% url 'step' each.pk %}">{{ each.name }}</a>{% endfor %}</nav>
{% for message in messages %}<p>{{ message }}</p>{% endfor %}<main>{% block main %}{% endblock %}</main>
<p>{{ request.user.username }}</p></body></html>"""
STEP = """{% extends "base.html" %}{% block title %}Step {{ number }}{% endblock %}{% block main %}
<h1>Step {{ number }}</h1>
<form method="post">{% csrf_token %}{{ form.as_div }}<button>Go on</button></form>{% endblock %}"""

settings.configure(
    SECRET_KEY="of a benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_site",
    USE_TZ=True,
    SITE_ID=1,
    STATIC_URL="/static/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    LOGIN_URL="/sign-in/",
    HELPDESK_PUBLIC_TICKET_QUEUE="public",
    HELPDESK_REDIRECT_TO_LOGIN_BY_DEFAULT=False,
    HELPDESK_TEAMS_MODE_ENABLED=False,
    HELPDESK_TEAMS_MODEL="auth.User",
    HELPDESK_TEAMS_MIGRATION_DEPENDENCIES=[],
    HELPDESK_KBITEM_TEAM_GETTER=lambda _item: None,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        *(MINE if HELPDESK else ["django_site"]),
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [
                            ("django.template.loaders.locmem.Loader", {"base.html": BASE, "step.html": STEP}),
                            "django.template.loaders.app_directories.Loader",
                        ],
                    )
                ],
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["DSN"],
            "NAME": "postgres",
            "USER": "postgres",
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

from django.contrib.auth import login  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.forms import ModelForm  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import redirect, render  # noqa: E402
from django.urls import include, path  # noqa: E402

if HELPDESK:
    urlpatterns: list[Any] = [path("", include("helpdesk.urls", namespace="helpdesk"))]
else:

    class Part(models.Model):
        name = models.CharField(max_length=40)

        class Meta:
            app_label = "django_site"

    class Draft(models.Model):
        owner = models.ForeignKey(User, models.CASCADE)
        number = models.PositiveSmallIntegerField()
        name = models.CharField(max_length=80)
        mobile = models.CharField(max_length=20)
        address = models.GenericIPAddressField()
        kind = models.CharField(max_length=20)
        text = models.TextField()

        class Meta:
            app_label = "django_site"
            unique_together = (("owner", "number"),)

    class DraftForm(ModelForm):
        class Meta:
            model = Draft
            fields = ("name", "mobile", "address", "kind", "text")

    def sign_in(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            person, _made = User.objects.get_or_create(username=request.POST["username"])
            login(request, person)
            return redirect("step", 1)
        return render(request, "step.html", {"parts": Part.objects.all(), "number": 0})

    @login_required
    def step(request: HttpRequest, number: int) -> HttpResponse:
        draft = Draft.objects.filter(owner=request.user, number=number).first()
        form = DraftForm(request.POST or None, instance=draft or Draft(owner=request.user, number=number))
        if request.method == "POST" and form.is_valid():
            form.save()
            return redirect("step", number + 1)
        return render(request, "step.html", {"form": form, "parts": Part.objects.all(), "number": number})

    urlpatterns = [path("sign-in/", sign_in), path("<int:number>/", step, name="step")]

application = get_wsgi_application()


def prepare() -> None:
    call_command("migrate", verbosity=0)
    if HELPDESK:
        from helpdesk.models import Queue

        Queue.objects.create(title="Public", slug="public", allow_public_submission=True)
        return
    with connection.schema_editor() as editor:
        editor.create_model(Part)
        editor.create_model(Draft)
    Part.objects.bulk_create([Part(name=f"Part {number}") for number in range(1, 7)])
