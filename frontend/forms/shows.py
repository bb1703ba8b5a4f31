"""Forms about a show."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from apps.media.images import LARGEST_FILE, LARGEST_SIDE, SMALLEST_SIDE
from frontend.forms.delivery import DeliveryField, has_choice
from podcasts.categories import category_choices
from podcasts.languages import language_choices
from podcasts.models import Show
from podcasts.services.handles import propose_handle
from podcasts.services.shows import ShowFields
from podcasts.time_zones import time_zones

ARTWORK_HELP = (
    f"Square, {SMALLEST_SIDE} to {LARGEST_SIDE} pixels wide, JPEG or PNG. "
    "Larger pictures are made smaller."
)


class ArtworkField(forms.FileField):
    """An uploaded picture as bytes; what is in it is judged where it is stored."""

    default_error_messages = {"empty": "This file is empty. Choose another one."}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.FileInput(
            attrs={"accept": "image/jpeg,image/png,image/webp", "data-preview": "artwork-preview"}
        )
        super().__init__(required=False, widget=widget, help_text=ARTWORK_HELP, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> bytes | None:
        """The file's content, or None when none was chosen."""
        file = cast("UploadedFile[Any] | None", super().clean(data, initial))
        if not file:
            return None
        if (file.size or 0) > LARGEST_FILE:
            raise ValidationError(
                f"This file is larger than {LARGEST_FILE // 1024**2} MB. "
                "Save the picture as JPEG and try again.",
                code="too-large",
            )
        return bytes(file.read())


class TimeZoneInput(forms.TextInput):
    """A field that proposes the names of time zones while one types, with or without a script."""

    template_name = "forms/time_zone.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With the zones to choose from."""
        own = {"autocomplete": "off", "spellcheck": "false", "list": f"{name}-list"}
        return super().get_context(name, value, own | (attrs or {})) | {"zones": time_zones()}


class ShowForm(forms.ModelForm[Show]):
    """What a new show needs."""

    artwork = ArtworkField(label="Cover")

    class Meta:
        model = Show
        fields: tuple[str, ...] = (
            "title",
            "handle",
            "description",
            "language",
            "category",
            "is_explicit",
            "author",
            "owner_name",
            "owner_email",
            "time_zone",
        )
        labels = {
            "is_explicit": "Explicit",
            "owner_name": "Owner",
            "owner_email": "Owner’s e-mail address",
            "is_owner_email_public": "Show the owner’s e-mail address in the feed",
            "is_locked": "Locked",
            "is_complete": "Complete",
            "is_blocked": "Hidden from directories",
            "type": "Order",
            "time_zone": "Time zone",
        }
        help_texts = {
            "handle": "Part of the addresses of your feed and page.",
            "description": "What is it about, for whom, how often? Directories show the beginning.",
            "is_explicit": "Strong language or content that isn’t for children.",
            "author": "Whom listeners know as the makers.",
            "owner_name": "Whom directories write to; not shown to listeners.",
            "is_owner_email_public": "Some directories mail a code to it when you claim the show. "
            "Anybody can read it there, spammers too.",
            "website": "Where the show lives; without one, its page here.",
            "copyright": "For example “© 2027 Night Signals”.",
            "time_zone": "Days end at its midnight in your statistics. Type a city to search. "
            "A change is for what is counted from now on: what was counted keeps its day.",
            "is_locked": "Other hosts are asked not to import the show without your consent.",
            "is_complete": "No more episodes will follow. Apps then look for new ones less often.",
            "is_blocked": "Apple and others are asked to leave the show out. The feed still works.",
        }
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "handle": forms.TextInput(
                attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
            ),
            "description": forms.Textarea(attrs={"rows": 5}),
            "type": forms.RadioSelect,
            "time_zone": TimeZoneInput,
        }

    def __init__(self, *args: Any, show: Show | None = None, **kwargs: Any) -> None:
        self.show = show
        if show is not None:
            initial = forms.models.model_to_dict(show, self._meta.fields)
            kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label="Language",
            choices=language_choices(present=show.language if show else ""),
            initial="en",
        )
        self.fields["category"] = forms.ChoiceField(
            label="Category",
            choices=[("", "Choose one"), *category_choices()],
            help_text="From Apple’s list, which other directories use as well.",
        )
        if show is None:
            self.fields["time_zone"].widget.attrs["data-propose-zone"] = ""
            self.fields["handle"].required = False  # made from the title when left empty

    def clean_handle(self) -> str:
        """The handle typed, or for a new show the one its title suggests."""
        handle = self.cleaned_data["handle"] or propose_handle(self.cleaned_data.get("title", ""))
        if not handle:
            raise ValidationError(
                "Type a handle: letters from a to z, digits and hyphens.", code="required"
            )
        return str(handle)

    def validate_unique(self) -> None:
        """Nothing: the service knows which handles are free, former ones included."""

    def show_fields(self) -> ShowFields:
        """What the service takes, artwork apart."""
        return cast(
            "ShowFields",
            {
                name: self.cleaned_data[name]
                for name in self.Meta.fields
                if name in self.cleaned_data
            },
        )


class ShowSettingsForm(ShowForm):
    """Everything that can be said about a show."""

    class Meta(ShowForm.Meta):
        fields = (
            *ShowForm.Meta.fields,
            "type",
            "is_owner_email_public",
            "website",
            "copyright",
            "is_locked",
            "is_complete",
            "is_blocked",
            "delivery",
        )

    def __init__(self, *args: Any, show: Show, **kwargs: Any) -> None:
        super().__init__(*args, show=show, **kwargs)
        if has_choice(show.delivery):
            self.fields["delivery"] = DeliveryField(stored=show.delivery)
        else:
            del self.fields["delivery"]


class DeleteShowForm(forms.Form):
    """Typed to delete a show that has episodes, so that it can't happen by a slip."""

    confirm = forms.CharField(
        max_length=64,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, show: Show, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.show = show
        self.fields["confirm"].label = f"Type {show.handle} to delete the show"

    def clean_confirm(self) -> str:
        """The handle, exactly."""
        typed = self.cleaned_data["confirm"].strip()
        if typed != self.show.handle:
            raise ValidationError(
                f"This is not the show’s handle. Type {self.show.handle}.", code="not_the_handle"
            )
        return str(typed)
