"""`runserver` for the browser and the scripts of one laptop."""

from django.core.servers.basehttp import WSGIServer
from whitenoise.runserver_nostatic.management.commands import runserver


class _Server(WSGIServer):
    # Django's 10 refuses connections of a script with a few dozen clients.
    request_queue_size = 1024


class Command(runserver.Command):
    """Serves with whitenoise's command and a longer listen backlog."""

    server_cls = _Server
