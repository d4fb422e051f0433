"""Telling others outside what happened, signed, until they have it (docs/webhooks.md).

topics      what can be told
endpoints   who is told: create, update, delete, rotate the secret, test
addresses   which addresses may be called
payloads    what is told
fanning     makes one delivery of an event for each endpoint that wants it
lanes       sends the deliveries of one endpoint, and leaves alone one that keeps failing
sending     one try over HTTP
deliveries  send one again, remove old ones
"""
