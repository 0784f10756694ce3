"""What never differs between installations. Everything an installation decides comes from the environment.

`RAHDARI_DATA` is the data folder (keys, documents, feed, mail, policy in force); `DATABASE_URL` the cluster.
`rahdari up` sets both, makes what is missing, and starts the processes.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.messages import constants as message_levels
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from rahdari import optional
from rahdari.settings import engine

PACKAGE = Path(__file__).resolve().parent.parent


# How long a database that is away may keep a page waiting before it says so: libpq would wait for ever for one that
# hangs, and for a quarter of an hour for one whose machine is gone.
PATIENCE = {
    "connect_timeout": "5",
    "tcp_user_timeout": "15000",
    "keepalives_idle": "30",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
# Of several servers the one that writes; a single one that only reads is no place for us either.
THE_ONE_THAT_WRITES = {"target_session_attrs": "read-write"}
# A statement is prepared on the server when it is sent for the third time: PostgreSQL reads and plans it no more.
PREPARED = {"server_side_binding": True, "prepare_threshold": 2}
# A replica that is away is not waited for: the primary answers. Nothing is written, should it become one.
OF_REPLICAS = {
    "connect_timeout": "2",
    "tcp_user_timeout": "3000",
    "target_session_attrs": "any",
    "options": "-c default_transaction_read_only=on",
}


def database(url: str) -> dict[str, object]:
    """Turn an address of libpq's into Django's form: `postgresql://user:password@host:port,host:port/name`, or
    `postgresql://user@/name?host=/socket/folder`. Raises ValueError."""
    scheme = urlsplit(url.partition("@")[0]).scheme
    if scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql:// (it begins with {scheme or 'nothing'}://).")
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError as error:
        # What is said of other faults may quote the password.
        word = str(error).strip() if "query parameter" in str(error) else "in a password, write @ as %40 and % as %25"
        raise ValueError(f"DATABASE_URL cannot be read: {word}.") from None
    return {
        "ENGINE": "rahdari.db.postgres",
        "NAME": given.pop("dbname", "rahdari"),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": PATIENCE | THE_ONE_THAT_WRITES | PREPARED | given,
    }


def replica(url: str) -> dict[str, object]:
    found = database(url)
    return found | {"OPTIONS": {**dict[str, object](found["OPTIONS"]), **OF_REPLICAS}}  # type: ignore[call-overload]


def listed(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


DATA = Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgresql:///rahdari"))}
# Where pages may be read that say so (`web.replicas`), with spaces between them.
REPLICAS = [replica(url) for url in os.environ.get("RAHDARI_DATABASE_REPLICAS", "").split()]

SECRET_KEY = os.environ.get("RAHDARI_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = listed("RAHDARI_HOSTS")
SITE_URL = os.environ.get("RAHDARI_URL", "http://127.0.0.1:8000")
# Where operators' agents reach the feed; told to them with their token.
FEED_URL = os.environ.get("RAHDARI_FEED_URL", "")
# The domain in the host names of connections whose address changes. Empty: the host of RAHDARI_URL.
DDNS_DOMAIN = os.environ.get("RAHDARI_DDNS_DOMAIN", "").strip().strip(".")
# The header in which a proxy of TRUSTED_PROXIES passes on a client's certificate. Empty: none is believed.
FEED_CERTIFICATE_HEADER = os.environ.get("RAHDARI_FEED_CERTIFICATE_HEADER", "").strip()
# How long removals wait at the gate after they were approved by nobody, or by a second officer (see publish.holds).
HOLD_HOURS = int(os.environ.get("RAHDARI_HOLD_HOURS", "24"))
# Where `rahdari backup` keeps backups. Empty: nowhere.
BACKUP_PLACE = os.environ.get("RAHDARI_BACKUP", "")
BACKUP_HOURS = float(os.environ.get("RAHDARI_BACKUP_HOURS") or "1")
# Who may read /metrics from another machine: whoever shows this as a bearer token. Empty: nobody.
METRICS_TOKEN = os.environ.get("RAHDARI_METRICS_TOKEN", "")
# Where people write to; shown on the page of help and contact.
CONTACT_EMAIL = os.environ.get("RAHDARI_CONTACT", "")
# Where this installation's source code can be had, changes included: the licence asks for it.
SOURCE_URL = os.environ.get("RAHDARI_SOURCE_URL", "")

# Who may decide what; see the README of each room.
DEMO = False
# Whether names for samples (.example) count as addresses of email: in a demonstration and in tests.
SAMPLE_MAIL = False
# So long after their appointment officers second nothing: whoever appoints accounts of their own cannot use them now.
SECONDS_AFTER = timedelta(hours=24)
STAFF_SECOND_FACTOR = True
# Networks of proxies whose X-Forwarded-For we believe. Empty: the address of the connection is the visitor's.
TRUSTED_PROXIES = listed("RAHDARI_TRUSTED_PROXIES")
# Special-use ranges that may be registered and probed all the same: the demonstration and tests only.
ALLOWED_SPECIAL_RANGES: list[str] = []
# Of an operator's callbacks: the authority that signed their certificates, where it is not a public one; and special
# ranges that may be called all the same, over http too: the demonstration and tests only.
CALLBACK_CA_FILE = os.environ.get("RAHDARI_CALLBACK_CA", "")
CALLBACK_RANGES: list[str] = []
# An authority for time (RFC 3161) that says when a pack of evidence was there, and its root as a PEM file. Without both
# the packs say that they have no foreign time.
TIME_AUTHORITY = os.environ.get("RAHDARI_TIME_AUTHORITY", "")
TIME_AUTHORITY_CA = os.environ.get("RAHDARI_TIME_AUTHORITY_CA", "")
# Port at which the HTTP proof is fetched: 80, as RFC 8555 has it. Tests and the demonstration may use another.
PROOF_HTTP_PORT = 80
# Resolvers that are asked about host names, as ADDRESS or ADDRESS:PORT. Without one the way by DNS is not offered.
PROOF_RESOLVERS = listed("RAHDARI_RESOLVERS")
# What vantages look at beside the endpoints of holders who agreed: a server of ours, as ADDRESS or ADDRESS:PORT, where
# this installation answers over http. Empty: the host of RAHDARI_URL, at port 80.
WATCH_CONTROL = os.environ.get("RAHDARI_WATCH_CONTROL", "").strip()
# A file of made-up records in the place of the regional registries: the demonstration and tests only.
SAMPLE_REGISTRY = ""
POLICY_FILE = DATA / "policy" / "in-force.toml"
REASONS_TO_CONFIRM_ALLOWED = False

try:
    WITHOUT = optional.left_out()
except optional.WrongChoice as error:
    raise ImproperlyConfigured(str(error)) from None

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rahdari.people",  # before allauth: its pages of signing in take the place of allauth's
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rahdari.db",
    "rahdari.web",
    "rahdari.programs",
    "rahdari.vault",
    "rahdari.journal",
    "rahdari.archive",
    "rahdari.figures",
    "rahdari.licensees",
    "rahdari.register",
    "rahdari.delivery",
    "rahdari.consult",
    "rahdari.invite",
    "rahdari.sms",
    "rahdari.letters",
    "rahdari.calendar",
    "rahdari.apply",
    "rahdari.control",
    "rahdari.checks",
    "rahdari.fees",
    "rahdari.vouch",
    "rahdari.confirm",
    "rahdari.attest",
    "rahdari.share",
    "rahdari.remote",
    "rahdari.decide",
    "rahdari.maintenance",
    "rahdari.appeal",
    "rahdari.demand",
    "rahdari.sampling",
    "rahdari.complaint",
    "rahdari.incident",
    "rahdari.publish",
    "rahdari.dyndns",
    "rahdari.mobile",
    "rahdari.urgent",
    "rahdari.watch",
    "rahdari.applicant",
    "rahdari.portal",
    "rahdari.api",
]
INSTALLED_APPS = [app for app in INSTALLED_APPS if app.removeprefix("rahdari.") not in WITHOUT]

MIDDLEWARE = [
    # The first four put their headers on every answer, whichever of the others fails.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "rahdari.web.headers.PermissionsPolicyMiddleware",
    "rahdari.web.metrics_access.HostOfThisMachineMiddleware",
    "rahdari.web.limits.LargestRequestMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # With random padding against BREACH: pages weigh a third, which a cheap phone on mobile data feels.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "rahdari.web.replicas.NoteWritesMiddleware",  # after the reader is known
    "rahdari.web.language.LanguageMiddleware",  # after the reader is known
    "rahdari.web.errors.NotThisWayMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rahdari.people.access.KeepAliveMiddleware",
    "rahdari.people.access.PrivatePagesMiddleware",
    "rahdari.people.access.SecondFactorMiddleware",
    "rahdari.calendar.seen.LookOnceMiddleware",
]

try:
    ENGINE, FORM_RENDERER = engine.classes()
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
TEMPLATES = [
    {
        "BACKEND": ENGINE,
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            **engine.tags(ENGINE, "rahdari.web.templatetags.rahdari"),
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rahdari.web.context.site",
            ],
        },
    }
]

# Two libraries of tags stand in Django's place on purpose (`engine.tags`).
SILENCED_SYSTEM_CHECKS = ["templates.W003"]

ROOT_URLCONF = "rahdari.urls"
WSGI_APPLICATION = "rahdari.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
# Sessions that were opened before name the second one.
AUTHENTICATION_BACKENDS = ["rahdari.people.reader.ReaderBackend", "allauth.account.auth_backends.AuthenticationBackend"]
# What is read with whoever is signed in, since each page shows it: the name of the attribute, and the expression.
OF_READER = {
    "unread_letters": "rahdari.letters.queries.UNREAD",
    "calendar_mark": "rahdari.calendar.seen.MARK",
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
# An address is proved by the code itself, each time; there is nothing else to verify.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_TIMEOUT = 3600
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": False}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "rahdari.people.adapter.AccountAdapter"
MFA_ADAPTER = "rahdari.people.adapter.SecondFactorAdapter"
# `people` stands below `letters` and may not import it, so the act that writes the mail with the code is named here.
SIGN_IN_LETTER = "rahdari.letters.actions.write_sign_in_code"
# Told where a sign-in leads, says where it leads then: an application may begin with it.
AFTER_SIGN_IN = "rahdari.apply.eligibility.after_sign_in"
INVITATION_LETTER = "rahdari.letters.actions.write_invitation"
REMOVED_LETTER = "rahdari.letters.actions.write_member_removed"
POST_LETTER = "rahdari.letters.actions.write_post_changed"
# Whether somebody can be the second person, for rooms that know actors alone (`journal.seconding`).
SECONDING = "rahdari.people.seconding.answer"
# What an officer may do for whom no case waits, of a room above the desk.
IF_THERE_IS_TIME = "rahdari.sampling.queries.if_there_is_time"
# What else ends when somebody signs out everywhere: programs with their tokens, of the room above.
END_PROGRAMS = "rahdari.api.keys.end_tokens_of"
# Keys that the holder of a post made for their operator's system: how many work, and the act that ends them.
KEYS_OF_POST = "rahdari.confirm.queries.keys_made_by"
END_KEYS_OF_POST = "rahdari.confirm.tokens.end_keys_made_by"
# What is asked about somebody's own applications, which they do not answer at an operator's or association's desk.
OWN_SUBJECTS = "rahdari.decide.queries.own_subjects"
# Told of each proof of control, for other ports and other holders of the same address.
ON_PROOF = "rahdari.applicant.known_proofs.take_proof"
# Told of addresses of an application that came or changed: `apply` knows no proofs.
ADDRESSES_CHANGED = "rahdari.applicant.known_proofs.take_known_proofs"
# The rules under which applications were sent: `fees` knows their subjects alone.
SENT_UNDER = "rahdari.apply.queries.policies_by_subjects"
# `consult` knows no person of the register: the act that writes to whoever comments is named here.
COMMENT_LETTER = "rahdari.letters.actions.write_to_outsider"
# Nor does it know the officers who correct the calendar: what gives the one in force is named here.
CALENDAR_IN_FORCE = "rahdari.calendar.queries.in_force"
MANDATE_LETTER = "rahdari.letters.actions.write_mandate"
FORMER_AGENT_LETTER = "rahdari.letters.actions.write_former_agent"
# Where an applicant goes on whose answers are all given: to the proofs, which the room above knows.
AFTER_THE_FORM = "rahdari.portal.applicant.prove.after_the_form"
# `page` stands below `people`: the act that remembers in which language to write is named here.
REMEMBER_LANGUAGE = "rahdari.people.actions.set_language"
# `publish` knows nobody: the act that ends what an operator has besides the feed is named here.
OPERATOR_STOPPED = "rahdari.confirm.tokens.end_operator"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Rahdari"
MFA_TOTP_TOLERANCE = 1  # RFC 6238, 5.2: one step for a clock that runs fast or slow
MFA_FORMS = {
    "authenticate": "rahdari.people.forms.SecondFactorForm",
    "reauthenticate": "rahdari.people.forms.ConfirmForm",
    "activate_totp": "rahdari.people.forms.AppForm",
    "add_webauthn": "rahdari.people.forms.PasskeyForm",
    "edit_webauthn": "rahdari.people.forms.PasskeyNameForm",
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ur", "اردو")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Karachi"
FORMAT_MODULE_PATH = ["rahdari.web.formats"]

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
# Other sites have no use for our files: not even a style sheet is given to a page from elsewhere.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

MAILERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": os.environ.get("RAHDARI_SMTP_HOST", "127.0.0.1"),
            "port": int(os.environ.get("RAHDARI_SMTP_PORT", "25")),
            "username": os.environ.get("RAHDARI_SMTP_USER", ""),
            "password": os.environ.get("RAHDARI_SMTP_PASSWORD", ""),
            "use_tls": os.environ.get("RAHDARI_SMTP_TLS", "") == "1",
            "timeout": 20,
        },
    }
}
MAIL_FOLDER = DATA / "mail"
if "sms" not in WITHOUT:
    # Who carries SMS: docs/letters.md. Without this file none goes out.
    SMS_PROVIDERS = Path(os.environ.get("RAHDARI_SMS", DATA / "sms.toml"))
    # The demonstration keeps its SMS in a folder instead.
    SMS_FOLDER: Path | None = None
DEFAULT_FROM_EMAIL = os.environ.get("RAHDARI_MAIL_FROM", "noreply@rahdari.example")

# No inline style or script, nothing from elsewhere: pages need no more than this.
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
# What no page of ours uses, and none shall be talked into using.
PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "rahdari.people.sessions"
# Signed out when nothing moved for two hours: phones are shared, and so are tables in net cafes. A session is kept
# alive by a write each few minutes, which are added here (`people.access.KeepAliveMiddleware`): a write with each page
# would wait for the disk each time, and undo what another page of the same person wrote meanwhile.
SESSION_KEPT_ALIVE_EVERY = 5 * 60
SESSION_COOKIE_AGE = 2 * 3600 + SESSION_KEPT_ALIVE_EVERY
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# A form that lay open overnight is still taken. Django's own year would let a browser be known again all that time.
CSRF_COOKIE_AGE = 24 * 3600
# What became of a press is shown in the colours of our own stylesheet.
MESSAGE_TAGS = {message_levels.SUCCESS: "ok", message_levels.WARNING: "warn", message_levels.ERROR: "bad"}
CSRF_FAILURE_VIEW = "rahdari.web.errors.form_too_old"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Three files of the largest size, or ten photos of a telephone, sent at once. A web server in front takes as much.
LARGEST_REQUEST = 32 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "rahdari.web.logs.Formatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("RAHDARI_LOG_LEVEL", "INFO")},
    # pikepdf tells each process that it is there. Of two that must sign, tuf tells of each that has not yet: no fault
    # while a ceremony goes on.
    "loggers": {"pikepdf": {"level": "WARNING"}, "tuf": {"level": "WARNING"}},
}
