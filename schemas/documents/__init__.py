"""The language laid open for others: JSON Schema of the HTTP form, AsyncAPI of the topics. Generated, never written."""

from schemas.documents.asyncapi import asyncapi_document
from schemas.documents.event_form import event_json_schema, event_types_document

__all__ = ["asyncapi_document", "event_json_schema", "event_types_document"]
