"""What a decision may do to clusters, and whom it marks."""

from collections.abc import Iterable, Sequence

from services.failures import Contended
from services.profile.domain.identity.links import Cluster, Membership
from services.profile.domain.identity.memberships import roots_of


def refuse_half_clusters(stood: Iterable[Cluster], roots: Sequence[str], dissolved: Sequence[str]) -> None:
    """A cluster must go whole into what is written, or be dissolved whole."""
    written, dropped = set(roots), set(dissolved)
    for cluster in stood:
        members = set(cluster.roots)
        if not (members <= written or members & dropped):
            raise Contended("these customers were merged with others meanwhile")


def marked_by(concerned: Sequence[str], above: Sequence[Membership], roots: Sequence[str]) -> list[str]:
    """Every root whose view a decision may change. `roots`: those that it merges or parts, whose households and groups
    follow them; `concerned`: they, and the subjects that it names; `above`: the memberships of these."""
    marked = set(roots)
    for subject in concerned:
        marked |= set(roots_of(subject, [one for one in above if one.subject == subject]))
    return sorted(marked)
