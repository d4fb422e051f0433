"""File uploads by the GraphQL multipart request specification.

https://github.com/jaydenseric/graphql-multipart-request-spec
"""

from typing import Any

import graphene
import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from graphql import GraphQLError

from schema.engine.errors import BadRequest

MAX_FILES = 10
# As Apollo Server: a plain form cannot send any of these, so a browser asks first (CORS preflight).
PREFLIGHT_HEADERS = (
    "X-Apollo-Operation-Name",
    "Apollo-Require-Preflight",
    "GraphQL-Require-Preflight",
)


class Upload(graphene.Scalar):
    """A file, sent by a GraphQL multipart request."""

    @staticmethod
    def serialize(value: Any) -> None:
        raise GraphQLError("An Upload is for input only.")

    @staticmethod
    def parse_value(value: Any) -> UploadedFile:
        if not isinstance(value, UploadedFile):
            raise GraphQLError("Send the file by a GraphQL multipart request.")
        return value

    @staticmethod
    def parse_literal(node: Any, variables: Any = None) -> None:
        raise GraphQLError("An Upload must be a variable.")


def check_size(request: HttpRequest) -> None:
    """Raises RequestDataTooBig for a body that no allowed number of allowed files fills.

    The exact size of each file is the business of whoever takes it.
    """
    largest = largest_multipart(is_staff=getattr(request.user, "is_staff", False))
    if int(request.META.get("CONTENT_LENGTH") or 0) > largest:
        raise RequestDataTooBig


def largest_multipart(*, is_staff: bool) -> int:
    """Bytes of the largest multipart request."""
    largest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + MAX_FILES * settings.UPLOAD_MAX_BYTES
    return largest + settings.UPLOAD_STAFF_MAX_BYTES if is_staff else largest


def operation_from(request: HttpRequest) -> Any:
    """The operation of a multipart request, with its files in their places.

    Raises:
        BadRequest: no header that forces a preflight, or not the form the specification asks for.
    """
    if not any(header in request.headers for header in PREFLIGHT_HEADERS):
        raise BadRequest(
            "A multipart request needs one of the headers "
            f"{', '.join(PREFLIGHT_HEADERS)} (against cross-site request forgery)."
        )
    try:
        operation = orjson.loads(request.POST["operations"].encode())
        places = orjson.loads(request.POST["map"].encode())
    except (KeyError, ValueError) as error:
        raise BadRequest("`operations` and `map` must be JSON form fields.") from error
    if not isinstance(operation, dict) or not isinstance(places, dict):
        raise BadRequest("`operations` and `map` must be JSON objects.")
    if len(places) > MAX_FILES:
        raise BadRequest(f"A request takes at most {MAX_FILES} files.")
    for name, paths in places.items():
        file = request.FILES.get(name)
        if file is None or not isinstance(paths, list):
            raise BadRequest(f"`map` names no file: {name[:40]!r}.")
        for path in paths:
            _put(operation, str(path), file)
    return operation


def _put(operation: Any, path: str, file: UploadedFile) -> None:
    steps = path.split(".")
    target = operation
    try:
        if steps[0] != "variables" or len(steps) < 2:
            raise KeyError(path)
        for step in steps[:-1]:
            target = target[int(step)] if isinstance(target, list) else target[step]
        last: Any = int(steps[-1]) if isinstance(target, list) else steps[-1]
        if target[last] is not None:
            raise KeyError(path)
        target[last] = file
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise BadRequest(f"`map` leads to no null in the variables: {path[:80]!r}.") from error
