"""The services at the API's port, and which of them a request is for.

All of AWS that sesmail speaks to is behind one address here, so that one endpoint URL serves.
"""

from __future__ import annotations

from . import signatures, sns, sqs, sqs_query, sts, v1, v2
from .answers import JSON, QUERY, REST_JSON, Service
from .faults import V1, V2

SES_V2 = Service(V2, "ses", REST_JSON, v2.read)
SES_V1 = Service(V1, "ses", QUERY, v1.read, v1.NAMESPACE)
STS = Service("sts", "sts", QUERY, sts.read, sts.NAMESPACE)
SNS = Service("sns", "sns", QUERY, sns.read, sns.NAMESPACE)
SQS = Service("sqs", "sqs", JSON, sqs.read)
SQS_QUERY = Service("sqs", "sqs", QUERY, sqs_query.read, sqs_query.NAMESPACE)

# JSON 1.0 names service and operation in X-Amz-Target, as `AmazonSQS.ReceiveMessage`.
BY_TARGET: dict[str, Service] = {"AmazonSQS": SQS}
BY_SCOPE: dict[str, Service] = {"ses": SES_V1, "sns": SNS, "sqs": SQS_QUERY, "sts": STS}


def find(request: signatures.Request) -> Service:
    """The service: by path, by X-Amz-Target, else by the signature's scope; at last SES v1."""
    if request.target.startswith(("/v2/", "/v1/")):  # one operation was under /v1/ once
        return SES_V2
    target = request.headers.get("x-amz-target", "").partition(".")[0]
    if target in BY_TARGET:
        return BY_TARGET[target]
    return BY_SCOPE.get(signatures.claimed_service(request), SES_V1)
