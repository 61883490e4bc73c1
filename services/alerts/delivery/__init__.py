"""Alerts beside the inbox: webhooks, mail and group bots, each with a queue of its own."""
