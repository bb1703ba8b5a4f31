"""Choices that are each explained by a sentence."""

from typing import Any

from django import forms


class _Explained(forms.widgets.ChoiceWidget):
    """Mixed into a widget of several buttons: ``meanings`` are the sentences, by value."""

    def __init__(self, meanings: dict[str, str]) -> None:
        super().__init__()
        self.meanings = meanings

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """With ``meaning``, which describes the button to a screen reader as well."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["meaning"] = self.meanings.get(value, "")
        if option["attrs"].get("id"):
            option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_meaning"
        return option


class ExplainedRadioSelect(_Explained, forms.RadioSelect):
    """One of several."""

    option_template_name = "forms/explained_option.html"


class ExplainedCheckboxes(_Explained, forms.CheckboxSelectMultiple):
    """Any of several."""

    option_template_name = "forms/explained_option.html"
