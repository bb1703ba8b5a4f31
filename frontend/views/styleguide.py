"""Every component on one page, for whoever works on the look; only where DEBUG is on."""

from types import SimpleNamespace

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.models import User

DAYS = [f"{day} Nov" for day in range(1, 31)]
COUNTS = [31, 44, 39, 52, 61, 48, 40, 72, 95, 88, 81, 69, 64, 58, 77, 83, 92, 120, 141, 118, 97]
COUNTS += [88, 104, 131, 152, 139, 121, 133, 158, 87]
APPS = [
    ("Apple Podcasts", 5120),
    ("Spotify", 2710),
    ("AntennaPod", 940),
    ("Overcast", 633),
    ("A podcast app with quite a long name of its own", 88),
]


class StyleguideForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(help_text="As it stands in podcast apps.", initial="The long way home")
    subtitle = forms.CharField(required=False)
    notes = forms.CharField(widget=forms.Textarea(attrs={"rows": 4, "maxlength": 400}))
    category = forms.ChoiceField(choices=[("a", "Arts"), ("b", "Arts / Books")])
    type = forms.ChoiceField(
        choices=[("episodic", "Newest first"), ("serial", "In order")],
        widget=forms.RadioSelect,
        initial="episodic",
        help_text="Serial shows start at the first episode.",
    )
    published_at = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), required=False
    )
    artwork = forms.FileField(required=False, help_text="A square JPEG or PNG.")
    is_explicit = forms.BooleanField(
        label="Explicit", required=False, help_text="Strong language or adult themes."
    )


def _shell() -> SimpleNamespace:
    organization = SimpleNamespace(name="Harbour Radio")
    other = SimpleNamespace(name="Night Shift Network")
    current = SimpleNamespace(
        organization=organization, organization_id=1, get_role_display="Owner"
    )
    return SimpleNamespace(
        user=User(email="mara@example.com", is_staff=True, name="Mara Lind"),
        organization=organization,
        membership=current,
        memberships=[current, SimpleNamespace(organization=other, organization_id=2)],
    )


def styleguide(request: HttpRequest) -> HttpResponse:
    """The page itself."""
    messages.success(request, "Episode moved to the trash.", extra_tags="undo:/styleguide/")
    form = StyleguideForm({"title": "", "type": "serial"}) if "errors" in request.GET else None
    context = {
        "shell": _shell(),
        "form": form or StyleguideForm(),
        "days": list(zip(DAYS, COUNTS, strict=True)),
        "counts": COUNTS[-14:],
        "apps": APPS,
        "statuses": ["draft", "scheduled", "published", "unpublished", "processing", "failed"],
        "page": Paginator(range(95), 20).get_page(2),
        "crumbs": [("Shows", "#"), ("The long way home", "#")],
        "now": timezone.now(),
    }
    return render(request, "styleguide.html", context)
