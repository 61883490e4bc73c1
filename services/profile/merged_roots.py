"""Those whom people have merged: asked by whoever reads a customer, and by whoever decides about one."""

from services.profile.ports.reading import ProfileReader


async def merged_roots(reader: ProfileReader, root: str) -> tuple[str, ...]:
    """Of the customer that this root belongs to, the lead first. Raises `Unavailable`."""
    cluster = await reader.cluster(root)
    return cluster.roots if cluster is not None else (root,)
