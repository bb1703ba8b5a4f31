"""Every setting of Longwave, read from the environment with safe defaults for one machine."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from celery.schedules import crontab
from django.utils.csp import CSP
from environs import Env, validate

from hosting.data_folder import engine_urls, secret_key
from hosting.mail import mailer_from_url

django_stubs_ext.monkeypatch()  # ModelForm[Show] and the like mean something at run time too

env = Env()
PROJECT = Path(__file__).resolve().parent.parent

# The data folder holds everything that a backup must hold on one machine.
DATA = Path(env.str("LONGWAVE_DATA", str(PROJECT / "var"))).expanduser().resolve()
_engines = engine_urls(DATA)
DATABASE_URL = env.str("DATABASE_URL", "") or _engines.get("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "") or _engines.get("REDIS_URL", "redis://127.0.0.1:6379/0")
# Prefix of every key, stream and channel in Valkey: several installations may share one server.
REDIS_PREFIX = env.str("LONGWAVE_REDIS_PREFIX", "longwave")

DEBUG = env.bool("LONGWAVE_DEBUG", False)
SECRET_KEY = env.str("LONGWAVE_SECRET_KEY", "") or secret_key(DATA)
SECRET_KEY_FALLBACKS: list[str] = env.list("LONGWAVE_SECRET_KEY_FALLBACKS", [])
BASE_URL = env.str("LONGWAVE_BASE_URL", "http://localhost:8000").rstrip("/")
_base = urlsplit(BASE_URL)
IS_HTTPS = _base.scheme == "https"
ALLOWED_HOSTS: list[str] = env.list("LONGWAVE_ALLOWED_HOSTS", []) or [
    _base.hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
]
# Peers (networks in CIDR form) whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES: list[str] = env.list("LONGWAVE_TRUSTED_PROXIES", [])

# What answers visitors: see docs/adr/0013.
WEB_SERVERS = ("uvicorn", "daphne")
WEB_SERVER = env.str("LONGWAVE_WEB_SERVER", "uvicorn", validate=validate.OneOf(WEB_SERVERS))
WEB_PROCESSES = env.int("LONGWAVE_WEB_PROCESSES", 1, validate=validate.Range(1, 64))

INSTALLED_APPS = [
    "hosting",  # first: its runserver replaces the one of static files
    "frontend",  # before allauth, whose templates it replaces
    "frontend.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "channels",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "apps.core",
    "apps.accounts",
    "apps.webhooks",
    "apps.media",
    "podcasts",
    "apps.downloads",
    "apps.downloads.logs",
    "apps.live",
    "api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "hosting.middleware.common",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "hosting.urls"
DATA_URLCONF = "hosting.data_urls"
ASGI_APPLICATION = "hosting.asgi.application"
FORM_RENDERER = "frontend.rendering.FormRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.csp",
                "frontend.context_processors.longwave",
            ],
        },
    }
]

DATABASES = {
    "default": {
        **dj_database_url.parse(DATABASE_URL or "postgresql://localhost/longwave"),
        # Pooling and persistent connections exclude each other in Django.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a restarted PostgreSQL must not cost a failed request
        "OPTIONS": {
            "pool": {
                "min_size": 1,
                "max_size": env.int("LONGWAVE_DB_POOL", 12),
                # Seconds. While PostgreSQL restarts, a request waits a little, then says so; and
                # the pool asks again often, where its default backs off to minutes.
                "timeout": 5,
                "reconnect_timeout": 2,
            }
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
    }
}
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            # redis-py's default socket time-out would close idle sockets.
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": f"{REDIS_PREFIX}:channels",
        },
    }
}

# --- People -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# Addresses are unique whatever their case: a constraint on lower(email), which W004 can't see.
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",
    # Subdomains and browsers' preload lists are the domain owner's decision, not ours.
    "security.W005",
    "security.W021",
    "security.W008",  # the proxy in front redirects: see SECURE_SSL_REDIRECT
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "studio:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "public:front"
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "apps.accounts.signup.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = env.str("LONGWAVE_EMAIL_VERIFICATION", "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base.scheme
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_UNIQUE_EMAIL = True
# Apps of others: OAuth 2 with PKCE. They have no ID tokens, so there is no key to keep.
# They have no secrets of their own either: one that is shown would be checked by a slow hash.
IDP_OIDC_AUTH_METHODS = ["none"]
IDP_OIDC_ADAPTER = "apps.accounts.oauth.OAuthAdapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = int(timedelta(hours=1).total_seconds())
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = int(timedelta(days=90).total_seconds())  # since its last use
# Who may sign up: turn it off on a private installation and invite people instead.
SIGNUP_OPEN = env.bool("LONGWAVE_SIGNUP_OPEN", True)
INVITATION_LIFETIME = timedelta(days=14)
INVITATIONS_PER_HOUR = 40  # of one person

MAILERS = {
    "default": mailer_from_url(env.str("LONGWAVE_EMAIL_URL", f"file://{DATA / 'mail'}")),
}
DEFAULT_FROM_EMAIL = env.str(
    "LONGWAVE_EMAIL_FROM", f"Longwave <noreply@{_base.hostname or 'localhost'}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Security ---------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if IS_HTTPS else 0
SECURE_SSL_REDIRECT = False  # the proxy in front does it; redirecting here would loop behind it
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
_socket_origin = f"{'wss' if IS_HTTPS else 'ws'}://{_base.netloc}"
S3_ENDPOINT_URL: str | None = env.str("S3_ENDPOINT_URL", "") or None
S3_BUCKET: str | None = env.str("S3_BUCKET", "") or None
S3_REGION = env.str("S3_REGION", "us-east-1")
AWS_ACCESS_KEY_ID: str | None = env.str("AWS_ACCESS_KEY_ID", "") or None
AWS_SECRET_ACCESS_KEY: str | None = env.str("AWS_SECRET_ACCESS_KEY", "") or None
# Browsers send parts of uploads straight to the bucket. Its own host name is the one that boto3
# signs for: without a region in us-east-1.
_bucket_host = "s3" if S3_REGION == "us-east-1" else f"s3.{S3_REGION}"
S3_UPLOAD_ORIGIN = env.str(
    "S3_UPLOAD_ORIGIN",
    "" if not S3_BUCKET else S3_ENDPOINT_URL or f"https://{S3_BUCKET}.{_bucket_host}.amazonaws.com",
)
# Who sends audio to listeners: see docs/delivery.md.
DELIVERY = env.str("LONGWAVE_DELIVERY", "direct")
REDIRECT_LIFETIME_SECONDS = env.int(
    "LONGWAVE_REDIRECT_LIFETIME", 6 * 3600, validate=validate.Range(120, 24 * 3600)
)
CDN_DOMAIN = env.str("LONGWAVE_CDN_DOMAIN", "")
CDN_KEY_PAIR_ID = env.str("LONGWAVE_CDN_KEY_PAIR_ID", "")
CDN_PRIVATE_KEY = env.str("LONGWAVE_CDN_PRIVATE_KEY", "")
CDN_PRIVATE_KEY_FILE = env.str("LONGWAVE_CDN_PRIVATE_KEY_FILE", "")
CDN_LIFETIME_SECONDS = env.int(
    "LONGWAVE_CDN_LIFETIME", 6 * 3600, validate=validate.Range(120, 24 * 3600)
)
CDN_ORIGIN_SECRETS: list[str] = env.list("LONGWAVE_CDN_ORIGIN_SECRET", [])
# What a CloudFront tells that stands in front of this server and keeps none of its audio.
CDN_PROXY_SECRETS: list[str] = env.list("LONGWAVE_CDN_PROXY_SECRET", [])
CDN_DISTRIBUTION = env.str("LONGWAVE_CDN_DISTRIBUTION", "")
# Where the bucket is not Amazon's, its keys are not those of CloudFront.
CDN_ACCESS_KEY_ID: str | None = env.str("LONGWAVE_CDN_ACCESS_KEY_ID", "") or AWS_ACCESS_KEY_ID
CDN_SECRET_ACCESS_KEY: str | None = (
    env.str("LONGWAVE_CDN_SECRET_ACCESS_KEY", "") or AWS_SECRET_ACCESS_KEY
)
# A CDN that can't be told to forget must ask again soon.
CDN_MAX_AGE_SECONDS = env.int("LONGWAVE_CDN_MAX_AGE", 24 * 3600 if CDN_DISTRIBUTION else 300)
# Players in our pages follow redirects there.
_delivery_origins = [S3_UPLOAD_ORIGIN, f"https://{CDN_DOMAIN}" if CDN_DOMAIN else ""]
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "blob:", *filter(None, _delivery_origins)],
    "media-src": [CSP.SELF, *filter(None, _delivery_origins)],
    "font-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "connect-src": [CSP.SELF, _socket_origin, *filter(None, [S3_UPLOAD_ORIGIN])],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# --- Static files -----------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "frontend.storage.ManifestStorage"
    },
}

# --- Media and uploads ------------------------------------------------------------------------
MEDIA_STORE_ROOT = DATA / "media"
SCRATCH_ROOT = DATA / "scratch"
SPOOL_ROOT = DATA / "spool"
MAX_UPLOAD_BYTES = env.int("LONGWAVE_MAX_UPLOAD_BYTES", 2 * 1024**3)
UPLOAD_PART_BYTES = env.int("LONGWAVE_UPLOAD_PART_BYTES", 8 * 1024**2)
MAX_OPEN_UPLOADS = env.int("LONGWAVE_MAX_OPEN_UPLOADS", 50)  # of one organisation
UPLOAD_LIFETIME = timedelta(days=7)
# How long what nothing refers to stays: apps resume downloads of it, and hold addresses of it.
GARBAGE_GRACE = timedelta(days=env.float("LONGWAVE_GARBAGE_GRACE_DAYS", 7))
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
# A form with a picture of the largest size that is accepted. Audio doesn't come by a form.
MAX_FORM_BYTES = 24 * 1024**2
FILE_UPLOAD_TEMP_DIR = None
TRASH_LIFETIME = timedelta(days=30)

# --- Counting ---------------------------------------------------------------------------------
USER_AGENTS: Path | None = env.path("LONGWAVE_USER_AGENTS", None)
DATACENTER_NETWORKS: Path | None = env.path("LONGWAVE_DATACENTER_NETWORKS", None)
# Downloads of one address on one day beyond which further ones wait for review (IAB v2.3).
ADDRESS_CEILING = env.int("LONGWAVE_ADDRESS_CEILING", 500)

# The service whose buckets hold access logs, where it isn't the one of the media.
LOGS_S3_ENDPOINT_URL: str | None = env.str("LONGWAVE_LOGS_S3_ENDPOINT_URL", "") or S3_ENDPOINT_URL
LOGS_S3_REGION = env.str("LONGWAVE_LOGS_S3_REGION", S3_REGION)
LOGS_ACCESS_KEY_ID: str | None = env.str("LONGWAVE_LOGS_ACCESS_KEY_ID", "") or AWS_ACCESS_KEY_ID
LOGS_SECRET_ACCESS_KEY: str | None = (
    env.str("LONGWAVE_LOGS_SECRET_ACCESS_KEY", "") or AWS_SECRET_ACCESS_KEY
)

# --- Webhooks ---------------------------------------------------------------------------------
# Networks (CIDR) that are not public and may be sent to all the same: receivers of one's own.
WEBHOOK_NETWORKS: list[str] = env.list("LONGWAVE_WEBHOOK_NETWORKS", [])
WEBHOOK_ALLOW_HTTP = env.bool("LONGWAVE_WEBHOOK_ALLOW_HTTP", DEBUG)
# Longer than the last attempt is away from the first.
WEBHOOK_LOG_LIFETIME = timedelta(
    days=env.int("LONGWAVE_WEBHOOK_LOG_DAYS", 30, validate=validate.Range(4, 3650))
)

# --- Jobs -------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:jobs:",
    # A job whose worker was killed is given to another one after this time.
    "visibility_timeout": int(timedelta(hours=2).total_seconds()),
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "publish-due-episodes": {"task": "podcasts.tasks.publish_due", "schedule": 10.0},
    "refresh-stale-feeds": {"task": "podcasts.tasks.refresh_stale_feeds", "schedule": 15.0},
    "recover-stalled-audio": {
        "task": "podcasts.audio_tasks.recover_stalled_audio",
        "schedule": 15.0,
    },
    "forget-old-tokens": {"task": "apps.accounts.tasks.forget_old_tokens", "schedule": 86400.0},
    "expire-uploads": {"task": "apps.media.tasks.expire_uploads", "schedule": 3600.0},
    # At a quiet hour: it lists the whole store.
    "collect-garbage": {
        "task": "apps.media.tasks.collect_garbage",
        "schedule": crontab(hour="3", minute="40"),
    },
    "empty-trash": {"task": "podcasts.tasks.empty_trash", "schedule": 3600.0},
    "open-days-ahead": {"task": "apps.downloads.tasks.open_days_ahead", "schedule": 3600.0},
    "close-days": {"task": "apps.downloads.tasks.close_days", "schedule": 3600.0},
    "tally-unfinished": {"task": "apps.downloads.tasks.tally_unfinished", "schedule": 300.0},
    # At a quiet hour, and after a day was closed: it looks through all episodes.
    "store-first-days": {
        "task": "apps.downloads.tasks.store_first_days",
        "schedule": crontab(hour="4", minute="20"),
    },
    "forget-old-answers": {"task": "api.tasks.forget_old_answers", "schedule": 3600.0},
    # What a lost queue left behind, and what is tried again.
    "send-webhooks": {
        "task": "apps.webhooks.tasks.send_due",
        "schedule": 5.0,
        "options": {"expires": 5.0},  # where all workers are busy, one of these is enough
    },
    "prune-webhooks": {"task": "apps.webhooks.tasks.prune", "schedule": 3600.0},
    "find-milestones": {"task": "apps.downloads.tasks.find_milestones", "schedule": 120.0},
    "import-logs": {"task": "apps.downloads.logs.tasks.import_logs", "schedule": 120.0},
}
if CDN_DISTRIBUTION:
    CELERY_BEAT_SCHEDULE["invalidate-cdn"] = {
        "task": "apps.media.delivery.tasks.invalidate_cdn",
        "schedule": 30.0,
    }

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # The first one's challenge makes what lacks credentials a 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.base.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "api.base.permissions.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["api.base.rendering.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.base.parsing.Parser"],
    "DEFAULT_SCHEMA_CLASS": "api.base.schema.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.base.problems.problem_handler",
    "URL_FORMAT_OVERRIDE": None,
}
# Requests a minute, and at most at once: of one token or person, of one address without any, and
# of one address for the secrets of apps.
API_RATE = env.int("LONGWAVE_API_RATE", 1200, validate=validate.Range(1))
API_RATE_ANONYMOUS = env.int("LONGWAVE_API_RATE_ANONYMOUS", 60, validate=validate.Range(1))
API_RATE_OAUTH = env.int("LONGWAVE_API_RATE_OAUTH", 600, validate=validate.Range(1))
SPECTACULAR_SETTINGS = {
    "TITLE": "Longwave API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.document.assembly.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ShowTypeEnum": "podcasts.models.ShowType",
        "EpisodeTypeEnum": "podcasts.models.EpisodeType",
        "EpisodeStatusEnum": "podcasts.models.EpisodeStatus",
        "DeliveryStatusEnum": "apps.webhooks.models.DeliveryStatus",
        "RoleEnum": "apps.accounts.roles.Role",
        "UploadStatusEnum": "apps.media.models.UploadStatus",
        "AssetStatusEnum": "apps.media.models.AssetStatus",
        "AudioStatusEnum": "api.episodes.audio_serializers.AUDIO_STATUSES",
        "TokenStatusEnum": "api.tokens.serializers.TOKEN_STATUSES",
        "DeliveryEnum": "apps.media.delivery.DeliveryMode",
        "FinalityEnum": "apps.downloads.chart_tables.STATUSES",
        "AgentKindEnum": "apps.downloads.agents.AgentKind",
    },
}

# --- Language, time, logs ---------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "hosting.log_lines.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LONGWAVE_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
