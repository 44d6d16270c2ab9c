"""An Azure Blob Storage: azurite, asked with requests that are signed here once more, by another hand.

Prints one line of JSON with what we sign with; then answers each line of commands with one of JSON. The first argument is
azurite's program for blobs, the second a folder for it.
"""

import base64, hashlib, hmac, json, re, subprocess, sys, urllib.error, urllib.request
from datetime import datetime, timedelta, timezone

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-12-02"

program = subprocess.Popen(
    ["node", sys.argv[1], "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", sys.argv[2], "--silent", "--disableTelemetry",
     "--skipApiVersionCheck"],
    stdout=subprocess.PIPE, text=True,
)
url = None
while url is None:
    line = program.stdout.readline()
    if not line:
        sys.exit("azurite did not start")
    found = re.search(r"listens on (http://\S+)", line)
    url = found and f"{found[1]}/{ACCOUNT}"


def signed(text):
    return base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()


def ask(method, path, query=()):
    date = datetime.now(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = f"x-ms-date:{date}\nx-ms-version:{VERSION}\n"
    resource = f"/{ACCOUNT}/{ACCOUNT}/{path}" + "".join(f"\n{name}:{value}" for name, value in sorted(query))
    text = method + "\n" * 12 + headers + resource
    asked = "&".join(f"{name}={value}" for name, value in query)
    request = urllib.request.Request(f"{url}/{path}?{asked}", method=method, headers={
        "x-ms-date": date, "x-ms-version": VERSION, "Authorization": f"SharedKey {ACCOUNT}:{signed(text)}",
    })
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def sas(container):
    until = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Permissions, start, expiry, resource, identifier, ip, protocol, version, kind, snapshot, scope, five headers.
    fields = ["rcl", "", until, f"/blob/{ACCOUNT}/{container}", "", "", "", VERSION, "c", "", "", "", "", "", "", ""]
    quote = urllib.request.quote
    return f"sv={VERSION}&sr=c&sp=rcl&se={quote(until, safe='')}&sig={quote(signed(chr(10).join(fields)), safe='')}"


try:
    for name in ["audit", "other"]:
        ask("PUT", name, [("restype", "container")])
    print(json.dumps({"endpoint": url, "account": ACCOUNT, "key": KEY, "sas": sas("other")}), flush=True)
    for line in sys.stdin:
        command, container, *rest = line.split()
        try:
            if command == "list":
                xml = ask("GET", container, [("comp", "list"), ("restype", "container")]).decode()
                said = re.findall(r"<Name>([^<]*)</Name>", xml)
            elif command == "get":
                said = base64.b64encode(ask("GET", f"{container}/{rest[0]}")).decode()
        except urllib.error.HTTPError as error:
            said = {"error": f"{error}: {error.read().decode()}"}
        print(json.dumps(said), flush=True)
finally:
    program.terminate()
