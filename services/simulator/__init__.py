"""A synthetic bank in China: seeded, of any size, with planted stories whose truth is known. Speaks to ingest only.

`Bank` says who there is, `Traffic` what they do from a day on, `stories` what will happen to some of them.
"""
