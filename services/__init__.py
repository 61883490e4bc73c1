"""The map. Data only ever moves to the right:

ingest  accepts  what channel systems publish and makes it durable in the log;
profile updates  the states of subjects and refreshes the views of customers;
alerts  evaluates rules over profile changes and hands a manager what to act on.
"""
