"""An S3 that verifies signatures and keeps locks: moto, set up and asked by boto3.

Prints one line of JSON with what we sign with; then answers each line of commands with one of JSON.
"""

import base64, json, os, sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "6"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://127.0.0.1:{port}"


def client(service, key="setup", secret="setup"):
    return boto3.client(
        service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )


iam = client("iam")
iam.create_user(UserName="acta")
key = iam.create_access_key(UserName="acta")["AccessKey"]
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="acta", PolicyName="s3", PolicyDocument=json.dumps(allow))
place = {"LocationConstraint": "eu-central-1"}
setup = client("s3")
setup.create_bucket(Bucket="plain-audit", CreateBucketConfiguration=place)
setup.create_bucket(Bucket="locked-audit", CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
# The sixth and last request that needs no signature.
setup.list_buckets()
s3 = client("s3", key["AccessKeyId"], key["SecretAccessKey"])
print(json.dumps({"endpoint": url, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)

for line in sys.stdin:
    command, bucket, *rest = line.split()
    try:
        if command == "list":
            said = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        elif command == "get":
            body = s3.get_object(Bucket=bucket, Key=rest[0])["Body"].read()
            said = base64.b64encode(body).decode()
        elif command == "head":
            found = s3.head_object(Bucket=bucket, Key=rest[0], ChecksumMode="ENABLED")
            until = found.get("ObjectLockRetainUntilDate")
            said = {
                "mode": found.get("ObjectLockMode"), "until": until and until.strftime("%Y-%m-%d"),
                "sha256": found.get("ChecksumSHA256"), "encryption": found.get("ServerSideEncryption"),
            }
        elif command == "delete":
            versions = s3.list_object_versions(Bucket=bucket, Prefix=rest[0])["Versions"]
            for version in versions:
                s3.delete_object(Bucket=bucket, Key=rest[0], VersionId=version["VersionId"])
            said = "deleted"
    except Exception as error:
        said = {"error": str(error)}
    print(json.dumps(said), flush=True)

# The server's own thread would go on.
os._exit(0)
