"""What staff and their screens ask of the profile, over HTTP. Nobody reads without a token that says who."""

from services.profile.web.app import profile_app
from services.profile.web.desk import Desk

__all__ = ["Desk", "profile_app"]
