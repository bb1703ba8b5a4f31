"""What a member of an organisation may do, as an ordered set of roles."""

from django.db import models


class Role(models.TextChoices):
    """Each role may do all that the ones before it may."""

    ANALYST = "analyst", "Analyst"  # sees shows, episodes and figures
    EDITOR = "editor", "Editor"  # makes and publishes episodes
    ADMIN = "admin", "Admin"  # makes and deletes shows, invites people
    OWNER = "owner", "Owner"  # renames and hands over the organisation

    @property
    def rank(self) -> int:
        """0 for the weakest role."""
        return list(Role).index(self)

    def includes(self, needed: "Role") -> bool:
        """Whether this role may do what ``needed`` may."""
        return self.rank >= needed.rank


# What an organisation's token may be: handing over the organisation takes a person.
TOKEN_ROLES = (Role.ANALYST, Role.EDITOR, Role.ADMIN)
