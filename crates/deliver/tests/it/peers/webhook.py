"""Verifies requests on standard input, one JSON a line, with the library of Standard Webhooks, and v1a with cryptography."""
import base64, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError



def hmac(secret, asked):
    try:
        Webhook(secret).verify(asked["body"], asked["headers"])
        return "verified"
    except WebhookVerificationError as error:
        return str(error)


def ed25519(key, asked):
    public = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key[len("whsk_"):])[:32]).public_key()
    headers = asked["headers"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{asked['body']}".encode()
    for signature in headers["webhook-signature"].split(" "):
        version, value = signature.split(",", 1)
        try:
            if version == "v1a":
                public.verify(base64.b64decode(value), content)
                return "verified"
        except InvalidSignature:
            pass
    return "No matching signature found"


for line in sys.stdin:
    asked = json.loads(line)
    for secret in asked["secrets"]:
        print(secret[:9], (ed25519 if secret.startswith("whsk_") else hmac)(secret, asked))
