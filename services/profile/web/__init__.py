"""What staff and their screens ask of the profile, over HTTP. Nobody reads without a token that says who."""

from services.profile.web.app import profile_app
from services.profile.web.backend import Backend

__all__ = ["Backend", "profile_app"]
