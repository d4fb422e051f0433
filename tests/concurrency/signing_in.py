"""Clients that sign in, again and again: a process of its own, so that it measures nothing.

    python signing_in.py PORT CLIENTS SECONDS PASSWORD

Prints how often each code was answered, as JSON.
"""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter

DOCUMENT = """mutation($email: String!, $password: String!) {
  tokenAuth(input: {email: $email, password: $password}) { token userErrors { code } } }"""


def main(port: int, clients: int, seconds: float, password: str) -> None:
    counts: Counter[str] = Counter()
    lock = threading.Lock()
    start = threading.Barrier(clients)
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        tries = 0
        start.wait()
        while time.monotonic() < end:
            # Each sign-in from an address of its own: the throttle is another proof.
            source = f"127.2.{number + 1}.{tries % 250 + 1}"
            tries += 1
            code, wait = sign_in(port, source, f"customer-{number}@example.org", password)
            with lock:
                counts[code] += 1
            if wait:
                time.sleep(min(wait * random.uniform(0.5, 1.5), max(end - time.monotonic(), 0)))

    threads = [threading.Thread(target=client, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(counts, sys.stdout)


def sign_in(port: int, source: str, email: str, password: str) -> tuple[str, int]:
    """The code of the answer, and the seconds after which to come back."""
    connection = http.client.HTTPConnection("127.0.0.1", port, 60, (source, 0))
    variables = {"email": email, "password": password}
    body = json.dumps({"query": DOCUMENT, "variables": variables})
    headers = {"Content-Type": "application/json", "Connection": "close"}
    try:
        connection.request("POST", "/graphql/", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        wait = int(response.getheader("Retry-After", "0"))
    finally:
        connection.close()
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"], wait
    errors = answer["data"]["tokenAuth"]["userErrors"]
    return (errors[0]["code"] if errors else "OK"), wait


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
