"""Every setting, read from the environment once. README's configuration table describes each."""

import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from config import environment

django_stubs_ext.monkeypatch()

environment.load()
env = Env()
BASE_DIR = environment.BASE_DIR

# --- what the environment decides -------------------------------------------------------------
DATA_DIR = environment.data_dir()
environment.keep_private(DATA_DIR, default=BASE_DIR / "var")
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. `make start` makes one and keeps it; on a server put the lines that `make secrets` "
        "prints into .env; `manage.py --demo COMMAND` uses the demo's."
    )
# Whoever guesses it can sign a session as anybody.
if len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure-"):
    raise ImproperlyConfigured(
        "SECRET_KEY is too easy to guess: it needs 32 random characters or more. `make secrets` prints one."
    )
# Keys for stored API keys, newest first; separate from SECRET_KEY so that either can be rotated alone.
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", [])
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("DEMO", False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.bool("HTTPS", True)
# Hosts an endpoint may name although they are loopback or private (`127.0.0.1:9000`, `llm.lan`).
ENDPOINT_ALLOWED_HOSTS: list[str] = env.list("ENDPOINT_ALLOWED_HOSTS", [])
REDIS_URL = env.str("REDIS_URL", "")
# Requests that one web process answers at once; the rest wait their turn.
WEB_THREADS: int = max(env.int("WEB_THREADS", 3), 1)
# Calls in one batch, at most; the Batch API itself takes 50,000.
BATCH_CALLS: int = min(env.int("BATCH_CALLS", 5000), 50_000)
MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", 64)
# Fine-tuning has an environment of its own, made by `make finetune-install`.
FINETUNE_PYTHON = str(BASE_DIR / env.str("FINETUNE_PYTHON", ".venv-finetune/bin/python"))
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
TIME_ZONE = env.str("TIME_ZONE", "UTC")
EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "consolemail://") if env.str("EMAIL_URL", "") else {}

# --- applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "servestatic",
    # Lowest layer first: after each migration they add their reference rows in this order.
    "core",
    "dialogues",
    "generation",
    "annotation",
    "config",
    "demo",
]

MIDDLEWARE = [
    "annotation.people.secret_addresses.SecretAddressMiddleware",
    "config.middleware.permissions_policy",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.LogInFirstMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.refuse_nul",
    "django_htmx.middleware.HtmxMiddleware",
    "annotation.people.password_tries.PasswordTriesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "django.template.context_processors.i18n",
                "config.context_processors.product",
            ],
        },
    },
]

# --- database: SQLite until DATABASE_URL names PostgreSQL ---------------------------------------
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'stephanie.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: an acknowledged rating must survive a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;",
    }
else:
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options["server_side_binding"] = True
    # What a connection asks for the third time is prepared: PostgreSQL parses it no more, and after five more times it
    # usually keeps one plan. A pooler in front of it that knows no
    # prepared statements needs `?prepare_threshold=0` in the address.
    options["prepare_threshold"] = int(options.get("prepare_threshold", 2)) or None
    if options["prepare_threshold"]:
        # Exports and statistics read their server-side cursors to the end; by default PostgreSQL plans for the first
        # tenth, and before it has statistics of a table such a plan took twenty times as long.
        options.setdefault("options", "-c cursor_tuple_fraction=1")
    # What `config.handler` opens in a web process. A thread holds a connection while it answers, a stream while it
    # reads; an 11th stream waits `timeout` seconds for one, and so does a request while the database is away.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
CONNECTION_POOL: dict[str, float] = {
    "min_size": 0,
    "max_size": WEB_THREADS + 10,
    "timeout": 3,
    "reconnect_timeout": 3,
    # A server that was told to use less memory or another plan shows it within this time.
    "max_lifetime": 600,
}

# --- Celery: a folder of files until REDIS_URL names a server -----------------------------------
CELERY_BROKER_URL = REDIS_URL or "filesystem://"
if REDIS_URL:
    CELERY_BROKER_TRANSPORT = "config.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"visibility_timeout": 3600}
else:
    for folder in ("messages", "control"):
        (DATA_DIR / "broker" / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "broker" / "messages"),
        "data_folder_out": str(DATA_DIR / "broker" / "messages"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Finds calls whose worker died and wakes a worker if calls wait; the task expires so that sweeps never pile up.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "sweep": {"task": "generation.sweep", "schedule": 15, "options": {"expires": 14}},
    "sweep imports": {"task": "dialogues.sweep_imports", "schedule": 60, "options": {"expires": 59}},
    "sweep computations": {"task": "core.sweep_computations", "schedule": 60, "options": {"expires": 59}},
    "sweep training": {"task": "generation.sweep_training", "schedule": 60, "options": {"expires": 59}},
    "clear sessions": {"task": "annotation.clear_sessions", "schedule": crontab(hour=4, minute=0)},
}

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What was computed for pages: a worker puts it there, and every web process finds it. Django makes the folder 0700
    # and its files 0600; it culls a third of them, by chance, when there are more.
    "results": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "results",
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "results"),
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
    # Each process's own, for what is cheap to find again and asked for all the time.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "process",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
}

# --- people and open links ---------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "annotation.people.password_tries.CountingBackend",
    # Sessions name it, and permissions are asked of it.
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "annotation.people.passwords.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "annotation.people.passwords.NewPassword", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = 24 * 3600
SILENCED_SYSTEM_CHECKS = [
    # SQLite leaves the extra columns out of our covering indexes; only PostgreSQL needs them to be fast.
    "models.W040",
]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TRUST_PROXY", False) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- files --------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.bundles.BundlingStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20

# --- words, time, logs --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each by its own name, so that whoever needs it can read it.
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# Numbers are written in one way in every language, as the paper and the scripts of the pages write them.
FORMAT_MODULE_PATH = "config.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
USE_TZ = True
USE_I18N = True
EMAIL_BACKEND = EMAIL_CONFIG.get("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
vars().update(EMAIL_CONFIG)

REST_FRAMEWORK = {
    # The first one names the scheme that a stranger is told to use.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotation.people.api_tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.json_bodies.PatientJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "generation.api.openapi.FrankSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stephanie",
    "DESCRIPTION": "Plan, start, watch and read runs. docs/api.md shows a whole job.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "RunState": "generation.models.Run.State",
        "CallState": "generation.models.Call.State",
        "TrainingRunState": "generation.models.TrainingRun.State",
        "TrainingEventKind": "generation.training.events.EventKind",
        "ExampleKind": "generation.models.ExampleKind",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"httpx2": {"level": "WARNING"}, "openai": {"level": "WARNING"}},
}
