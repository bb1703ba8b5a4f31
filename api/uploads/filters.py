"""Which uploads are wanted."""

import django_filters

from apps.media.models import Upload, UploadStatus


class UploadFilters(django_filters.FilterSet):
    """Of an organisation's list of uploads."""

    status = django_filters.ChoiceFilter(choices=UploadStatus.choices)
    search = django_filters.CharFilter(
        field_name="filename", lookup_expr="icontains", help_text="Words in the file’s name."
    )

    class Meta:
        model = Upload
        fields: list[str] = []
