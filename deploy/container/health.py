"""Whether the server in this container works: the container's health check."""

import os
import sys
import urllib.error
import urllib.request

ADDRESS = f"http://127.0.0.1:{os.environ.get('GROUNDSWELL_PORT', '8765')}/api/v1/health"

try:
    with urllib.request.urlopen(ADDRESS, timeout=4) as answer:
        answer.read()
except urllib.error.HTTPError as error:
    sys.exit(f"a part does not work: {error.read().decode()[:500]}")
except OSError as error:
    sys.exit(f"the server does not answer: {error}")
