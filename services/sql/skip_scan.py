"""The few different values of a column among many rows, by a loose index scan: `distinct` reads all of them."""


def skip_scan(column: str, table: str, where: str) -> str:
    """A statement that gives them by hops from each to the next, along an index that begins with the column behind what
    `where` fixes."""
    return f"""
with recursive h(value) as (
    select min({column}) from {table} where {where}
    union all select (select min(t.{column}) from {table} t where {where} and t.{column} > h.value)
    from h where h.value is not null)
select value from h where value is not null"""  # noqa: S608 - our own words
