"""How Django's forms become our markup, in every page that renders one."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """``{{ form }}`` and ``{{ field.as_field_group }}`` with label, help and errors."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
