"""A Google Cloud Storage: gcp-storage-emulator. Prints where it is; then answers each line of commands with one of JSON."""

import base64, http.server, json, logging, os, socket, sys, urllib.parse, urllib.request

logging.disable(logging.CRITICAL)
# Otherwise a connection that its client keeps open keeps everybody else out.
http.server.HTTPServer = http.server.ThreadingHTTPServer

from gcp_storage_emulator import server as emulator

read = emulator._read_data


def read_data(handler, query):
    """An upload as it comes: the emulator would parse one that says it is JSON, and then fail."""
    if query.get("uploadType") == ["media"]:
        return handler.rfile.read(int(handler.headers["content-length"]))
    return read(handler, query)


emulator._read_data = read_data

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
out, sys.stdout = sys.stdout, sys.stderr
server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="audit")
server.start()
url = f"http://127.0.0.1:{port}"
print(json.dumps({"endpoint": url}), file=out, flush=True)

for line in sys.stdin:
    command, bucket, *rest = line.split()
    try:
        if command == "list":
            with urllib.request.urlopen(f"{url}/storage/v1/b/{bucket}/o") as answer:
                said = [item["name"] for item in json.load(answer).get("items", [])]
        elif command == "get":
            name = urllib.parse.quote(rest[0], safe="")
            with urllib.request.urlopen(f"{url}/storage/v1/b/{bucket}/o/{name}?alt=media") as answer:
                said = base64.b64encode(answer.read()).decode()
    except Exception as error:
        said = {"error": str(error)}
    print(json.dumps(said), file=out, flush=True)

# The server's own thread would go on.
os._exit(0)
