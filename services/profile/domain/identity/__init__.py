"""Who belongs to whom: links, what asserts them, and the memberships that follow."""
