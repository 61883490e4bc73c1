"""What a deployment declares, as far as commands need it: how events are folded, and whom limits stop."""

import os
from collections.abc import Mapping

from schemas.catalogue import load_catalogue
from schemas.identifiers import LIMITS, SUBJECT_OF
from services.profile.adapters.policies import load_declarations
from services.profile.domain.fold import Fold
from services.profile.domain.series import Counting
from services.profile.settings import read_choices


def declared_fold() -> Fold:
    """Raises `PolicyError`, `SettingsError`."""
    choices = read_choices(os.environ)
    series = load_declarations(choices.catalogue, choices.reference).series
    return Fold(load_catalogue(), Counting(series), series.version)


def subject_limits() -> Mapping[str, int]:
    """Subject kind → how many customers one such identifier may identify."""
    return {SUBJECT_OF[kind]: limit for kind, limit in LIMITS.items()}
