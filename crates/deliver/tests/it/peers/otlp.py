"""Reads requests (Base64, one a line) with OpenTelemetry's own classes, strictly, and prints them as JSON."""
import base64, json, sys
from google.protobuf.json_format import MessageToDict
from google.protobuf import unknown_fields
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

for line in sys.stdin:
    request = logs_service_pb2.ExportLogsServiceRequest()
    request.ParseFromString(base64.b64decode(line))
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                assert len(unknown_fields.UnknownFieldSet(record)) == 0
                assert len(record.trace_id) in (0, 16) and len(record.span_id) in (0, 8)
    print(json.dumps(MessageToDict(request)))
