"""The table of what SES, SES's SMTP interface and botocore say, and what it means for the mail.

One row per meaning, in the order in which they are tried: what looks at the text stands before
what looks at the code alone. A row's ``id`` is the number in "SES API errors" (1.5/…) or the code
in "SMTP replies" (2.1/…) of the project's list of SES facts. Sources: the botocore models of SESv2
SendEmail and SES v1 SendRawEmail, the AWS "Common Errors" pages, the SES developer guide ("Amazon
SES SMTP issues"), and answers that users of SES have reported.

Deferred = only time is needed, held = the administrator, failed = never. The exit code is what a
caller in the foreground gets. The examples must find their row; tests send them through sockets.
"""

from __future__ import annotations

from sesmail.delivery.outcome import Retry
from sesmail.delivery.reply_row import (
    ANY_COMMAND,
    BEFORE_TEXT,
    Row,
    client,
    deferred,
    failed,
    held,
    said,
    smtp,
    v1,
    v2,
    words,
)
from sesmail.sysexits import (
    EX_CONFIG,
    EX_DATAERR,
    EX_NOHOST,
    EX_NOPERM,
    EX_NOUSER,
    EX_SOFTWARE,
    EX_UNAVAILABLE,
)

_NOW, _SOON, _LATER, _AMBIGUOUS = Retry.NOW, Retry.SOON, Retry.LATER, Retry.AMBIGUOUS

# Texts, the same in all three interfaces.
_RATE = said("maximum sending rate exceeded")
_DAILY = said("daily (message|sending) quota exceeded")
_OLD_KEY = said("maximum sigv2 smtp sending rate exceeded")
_UNVERIFIED = said("email address is( not|n't) verified", "failed the check in region")
_PAUSED = said("sending paused for this account", "sending for the account is paused")
_SET_PAUSED = said("configuration set .*paused")
_NO_SET = said("configuration set .*(does not exist|not found)")
_SUPPRESSED = said("address blacklisted", "suppress")
_CONTENT = said("virus", "malware", "content", "attachment")
_BAD_DOMAIN = said(
    "domain contains (control|illegal)", "missing domain", "domain (starts|ends) with"
)
_BAD_LOCAL_PART = said("local address contains", "missing local")
_BAD_ADDRESS = said(
    "missing final '@domain'",
    "(invalid|illegal) (email )?address",
)
_BAD_HEADER = said(
    "duplicate header",
    "empty header names",
    "header section too long",
    "(missing|empty) required header",
    "expected disposition",
    "expected '[/=]', got",
    "missing start boundary",
)
_NO_FIELD = said("illegal header")
_TOO_LONG = said("message length is more than", "message is too long")
_TOO_MANY = said("recipient count exceeds", "too many recipients")
_CLOCK = said("signature expired", "not yet current", "request has expired", "too skewed")
_SCOPE = said("credential should be scoped to a valid region")
_NOT_SUBSCRIBED = said("not subscribed to ses")
_SEND_EMAIL = said(r"ses:SendEmail\b")

# Remedies.
_SLOWER = "SES limits the account's rate: wait a moment"
_QUOTA_USED = "the account's quota is used up: wait, or ask AWS for a larger one"
_NEW_KEY = "this SMTP password is from before 2019: make new SMTP credentials in the SES console"
_WAIT = "nothing was sent: try again later"
_PERHAPS_SENT = "SES may have taken the message all the same"
_VERIFY = "verify this identity in SES in this region, or correct region in the credentials file"
_SANDBOX = "the SES account is in the sandbox: ask AWS for production access"
_ACCOUNT_PAUSED = "AWS has stopped this account's mail: read what AWS wrote to its owner"
_SET_IS_PAUSED = "enable sending of the configuration set in the SES console"
_MAKE_SET = "make it in SES, or correct configuration_set in the credentials file"
_MAIL_FROM = "the identity's custom MAIL FROM domain needs its MX record"
_REFUSED_FOR_GOOD = "SES refuses this message for good"
_MEND_ADDRESS = "correct the address"
_MEND_SENDER = "correct the address that is given with -f, or the author's"
_MEND_MESSAGE = "SES cannot take a message with such a header section"
_MEND_LINE = "SES takes a line of the header section for no field"
_SHORTEN = "send a smaller message"
_ALLOW = "allow ses:SendEmail and ses:SendRawEmail in the key's policy"
_COPY_PAIR = "the access key id and the secret do not match: copy both again"
_NEW_PAIR = "the key does not exist or is not active: make a new one in IAM"
_RENEW_KEYS = "the temporary keys have run out: get new ones"
_SMTP_LOGIN = (
    "the credentials file needs the SMTP password that was made for this region, or the IAM secret "
    "access key"
)
_REGION = "correct region or endpoint_url in the credentials file"
_SUBSCRIBE = "sign the AWS account up for SES"
_SET_CLOCK = "set this host's clock"
_CERTIFICATE = "check ca_file, this host's clock, and who intercepts TLS here"
_NO_KEYS = "give a key pair in the credentials file, or this host a role"
_NO_ROLE = "whoever should give the keys did not: check the role, or credential_process"
_MEND_PROFILE = "correct the credentials file"
_WRONG_ENDPOINT = (
    "correct endpoint_url in the credentials file; without one this is a bug of sesmail"
)
_BUG = "this is a bug of sesmail: please report it"
_NO_TLS = "the SMTP server must offer STARTTLS and AUTH: correct smtp_host, smtp_port or smtp_tls"

# Codes.
_BAD_REQUEST = words("BadRequestException InvalidParameterValue InvalidParameterValueException")
_THROTTLED = words("TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded")
_LIMITED = words("LimitExceededException")
_REJECTED = words("MessageRejected")
_DENIED = words("AccessDenied AccessDeniedException NotAuthorized NotAuthorizedException")
_SIGNATURE = words("SignatureDoesNotMatch InvalidSignatureException")
_554 = words("554")
_454 = words("454")
_TEXT = words("TEXT")

# fmt: off
# One paragraph per row, so that the table can be read as one.
ROWS: tuple[Row, ...] = (
    # SES API errors: rate and quota
    deferred("1.5/1", _SOON, "4.4.5", _SLOWER, codes=_THROTTLED, said=_RATE, examples=(
        v2("TooManyRequestsException", 429, "Maximum sending rate exceeded."),
        v1("Throttling", 400, "Maximum sending rate exceeded."))),
    deferred("1.5/2", _LATER, "4.4.5", _QUOTA_USED, codes=_THROTTLED | _LIMITED, said=_DAILY,
        examples=(
        v2("TooManyRequestsException", 429, "Daily message quota exceeded."),
        v2("LimitExceededException", 400, "Daily message quota exceeded."),
        v1("Throttling", 400, "Daily message quota exceeded."))),
    deferred("1.5/3", _LATER, "4.4.5", _NEW_KEY, codes=_THROTTLED, said=_OLD_KEY, examples=(
        v1("Throttling", 400, "Maximum SigV2 SMTP sending rate exceeded"),)),
    deferred("1.5/4", _SOON, "4.4.5", _SLOWER, codes=_THROTTLED, http=frozenset({429}), examples=(
        v2("ThrottlingException", 400, "Rate exceeded"),
        v1("RequestLimitExceeded", 400, "Request limit exceeded."))),
    deferred("1.5/2-other", _LATER, "4.4.5", _QUOTA_USED, codes=_LIMITED, examples=(
        v2("LimitExceededException", 400, "There are too many instances of the resource."),)),
    # SES API errors: texts that come with several codes
    held("1.5/13", EX_NOPERM, "4.7.1", _SANDBOX, codes=_REJECTED, said=_UNVERIFIED,
        blames_recipient=True, singly=True, scope="recipient", examples=(
        v2("MessageRejected", 400,
           "Email address is not verified. The following identities failed the check in "
           "region US-EAST-1: recipient@example.net"),
        v1("MessageRejected", 400,
           "Email address is not verified. The following identities failed the check in "
           "region US-EAST-1: recipient@example.net"))),
    held("1.5/12", EX_CONFIG, "4.7.1", _VERIFY, codes=_REJECTED, said=_UNVERIFIED, scope="author",
        examples=(
        v2("MessageRejected", 400,
           "Email address is not verified. The following identities failed the check in "
           "region EU-WEST-1: stranger@elsewhere.example"),
        v1("MessageRejected", 400,
           "Email address is not verified. The following identities failed the check in "
           "region EU-WEST-1: a@b.example, Sue <stranger@elsewhere.example>, ..."))),
    held("1.5/14", EX_NOPERM, "4.7.1", _ACCOUNT_PAUSED, codes=_REJECTED, said=_PAUSED, examples=(
        v2("MessageRejected", 400,
           "Sending paused for this account. For more information, please check the inbox "
           "of the email address associated with your AWS account."),)),
    failed("1.5/15-address", EX_UNAVAILABLE, "5.7.1", _REFUSED_FOR_GOOD, codes=_REJECTED,
        said=_SUPPRESSED, singly=True, examples=(
        v2("MessageRejected", 400, "Address blacklisted."),
        v1("MessageRejected", 400, "Address blacklisted."))),
    failed("1.5/15-content", EX_UNAVAILABLE, "5.7.1", _REFUSED_FOR_GOOD, codes=_REJECTED,
        said=_CONTENT, examples=(
        v2("MessageRejected", 400, "Message contains a virus."),)),
    held("1.5/16", EX_UNAVAILABLE, "4.7.1", _ACCOUNT_PAUSED,
        codes=words("SendingPausedException AccountSendingPausedException AccountSendingPaused"),
        examples=(
        v2("SendingPausedException", 400, "Email sending for the account is paused."),
        v1("AccountSendingPausedException", 400, "Email sending for the account is paused."))),
    held("1.5/17", EX_UNAVAILABLE, "4.7.1", _SET_IS_PAUSED,
        codes=words("ConfigurationSetSendingPausedException ConfigurationSetSendingPaused"),
        examples=(
        v1("ConfigurationSetSendingPausedException", 400,
           "Email sending for the configuration set news is paused."),)),
    held("1.5/18", EX_NOPERM, "4.7.1", _ACCOUNT_PAUSED, codes=words("AccountSuspendedException"),
        examples=(
        v2("AccountSuspendedException", 400,
           "The account's ability to send email has been permanently restricted."),)),
    held("1.5/19", EX_UNAVAILABLE, "4.7.1", _MAIL_FROM, scope="author",
        codes=words("MailFromDomainNotVerifiedException MailFromDomainNotVerified"), examples=(
        v2("MailFromDomainNotVerifiedException", 400, "The sending domain isn't verified."),
        v1("MailFromDomainNotVerifiedException", 400, "Mail from domain not verified."))),
    held("1.5/20", EX_CONFIG, "4.3.5", _MAKE_SET,
        codes=words("NotFoundException ConfigurationSetDoesNotExist "
            "ConfigurationSetDoesNotExistException"), examples=(
        v2("NotFoundException", 404, "Configuration set <news> does not exist."),
        v1("ConfigurationSetDoesNotExist", 400, "Configuration set <news> does not exist."))),
    # SES API errors: addresses and header section. 24 and 23 first: their texts are the plainest.
    held("1.5/24", EX_SOFTWARE, "4.5.3", _BUG, codes=_BAD_REQUEST | _REJECTED, said=_TOO_MANY,
        examples=(
        v2("BadRequestException", 400, "Recipient count exceeds 50."),
        v1("InvalidParameterValue", 400, "Recipient count exceeds 50."))),
    failed("1.5/23", EX_UNAVAILABLE, "5.3.4", _SHORTEN, codes=_BAD_REQUEST, said=_TOO_LONG,
        examples=(
        v2("BadRequestException", 400,
           "Message length is more than 41943040 bytes long: '42000000'."),
        v1("InvalidParameterValue", 400,
           "Message length is more than 10485760 bytes long: '12078147'."))),
    # Not quoted: the text repeats a line of the message.
    failed("1.5/22-line", EX_DATAERR, "5.6.0", _MEND_LINE, codes=_BAD_REQUEST, said=_NO_FIELD,
        quotes=False, examples=(
        v2("BadRequestException", 400, "Illegal header 'Dear Sue, the code is 1234'."),
        v1("InvalidParameterValue", 400, "Illegal header 'Dear Sue'."))),
    failed("1.5/22", EX_DATAERR, "5.6.0", _MEND_MESSAGE, codes=_BAD_REQUEST, said=_BAD_HEADER,
        examples=(
        v2("BadRequestException", 400, "Duplicate header 'MIME-Version'."),
        v2("BadRequestException", 400, "Missing start boundary"),
        v2("BadRequestException", 400, "Expected '=', got 'null'"),
        v1("InvalidParameterValue", 400, "Missing required header 'From'."),
        v1("InvalidParameterValue", 400, "Empty header names are illegal."))),
    failed("1.5/21-domain", EX_NOHOST, "5.1.2", _MEND_ADDRESS, codes=_BAD_REQUEST, said=_BAD_DOMAIN,
        singly=True, examples=(
        v2("BadRequestException", 400, "Domain contains illegal character"),
        v1("InvalidParameterValue", 400, "Missing domain"))),
    failed("1.5/21-local", EX_NOUSER, "5.1.3", _MEND_ADDRESS, codes=_BAD_REQUEST,
        said=_BAD_LOCAL_PART, singly=True, examples=(
        v2("BadRequestException", 400, "Local address contains control or whitespace"),
        v1("InvalidParameterValue", 400, "Local address contains illegal character"))),
    failed("1.5/21", EX_DATAERR, "5.1.3", _MEND_ADDRESS, codes=_BAD_REQUEST, said=_BAD_ADDRESS,
        singly=True, examples=(
        v2("BadRequestException", 400, "Missing final '@domain'"),
        v2("BadRequestException", 400, "Illegal address"),
        v1("InvalidParameterValue", 400, "Invalid email address"))),
    failed("1.5/25", EX_UNAVAILABLE, "5.3.4", _SHORTEN,
        codes=words("RequestEntityTooLargeException RequestEntityTooLarge"), http=frozenset({413}),
        examples=(
        v2("RequestEntityTooLargeException", 413, "Request is too large."),)),
    # SES API errors: keys
    held("1.5/26-send-email", EX_NOPERM, "4.7.0", _ALLOW, codes=_DENIED, said=_SEND_EMAIL,
        other_interface=True, about_policy=True, scope="author", examples=(
        v2("AccessDeniedException", 403,
           "User `arn:aws:iam::123456789012:user/ses-smtp-user' is not authorized to "
           "perform `ses:SendEmail' on resource "
           "`arn:aws:ses:us-east-1:123456789012:identity/example.com'"),)),
    held("1.5/26", EX_NOPERM, "4.7.0", _ALLOW, codes=_DENIED, about_policy=True, scope="author",
        examples=(
        v2("AccessDeniedException", 403,
           "User `arn:aws:iam::123456789012:user/wiki' is not authorized to perform "
           "`ses:SendRawEmail' on resource "
           "`arn:aws:ses:us-east-1:123456789012:identity/example.com'"),
        v1("AccessDenied", 403,
           "User `arn:aws:iam::123456789012:user/wiki' is not authorized to perform "
           "`ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/x'"),
        v2("NotAuthorized", 401, "You do not have permission to perform this action."))),
    # 30 before 27: a wrong clock comes as SignatureDoesNotMatch, too.
    held("1.5/30", EX_UNAVAILABLE, "4.7.0", _SET_CLOCK, codes=_SIGNATURE, said=_CLOCK,
        about_clock=True, examples=(
        v2("SignatureDoesNotMatch", 403,
           "Signature expired: 20260101T000000Z is now earlier than 20260101T003000Z "
           "(20260101T004500Z - 15 min.)"),
        v1("SignatureDoesNotMatch", 403,
           "Signature not yet current: 20260101T010000Z is still later than "
           "20260101T003000Z (20260101T001500Z + 15 min.)"))),
    held("1.5/30-code", EX_UNAVAILABLE, "4.7.0", _SET_CLOCK, about_clock=True,
        codes=words("RequestExpired RequestTimeTooSkewed RequestInTheFuture"), examples=(
        v1("RequestExpired", 400, "Request has expired."),
        v2("RequestTimeTooSkewed", 403,
           "The difference between the request time and the current time is too large."))),
    held("1.5/27-region", EX_CONFIG, "4.7.0", _REGION, codes=_SIGNATURE, said=_SCOPE, examples=(
        v2("SignatureDoesNotMatch", 403,
           "Credential should be scoped to a valid region, not 'us-west-1'."),)),
    held("1.5/27", EX_CONFIG, "4.7.8", _COPY_PAIR, codes=_SIGNATURE, about_secret=True, examples=(
        v2("SignatureDoesNotMatch", 403,
           "The request signature we calculated does not match the signature you provided. "
           "Check your AWS Secret Access Key and signing method."),
        v1("SignatureDoesNotMatch", 403,
           "The request signature we calculated does not match the signature you provided. "
           "Check your AWS Secret Access Key and signing method."))),
    held("1.5/27-incomplete", EX_CONFIG, "4.7.8", _COPY_PAIR, about_secret=True, quotes=False,
        codes=words("IncompleteSignature IncompleteSignatureException"), examples=(
        v2("IncompleteSignatureException", 400,
           "'x' not a valid key=value pair (missing equal-sign) in Authorization header"),)),
    held("1.5/28", EX_CONFIG, "4.7.8", _NEW_PAIR,
        codes=words("InvalidClientTokenId UnrecognizedClientException MissingAuthenticationToken "
            "MissingAuthenticationTokenException InvalidAccessKeyId InactiveKey"), examples=(
        v2("UnrecognizedClientException", 403,
           "The security token included in the request is invalid."),
        v1("InvalidClientTokenId", 403, "The security token included in the request is invalid."),
        v2("MissingAuthenticationTokenException", 403, "Missing Authentication Token"))),
    deferred("1.5/29", _SOON, "4.7.8", _RENEW_KEYS,
        codes=words("ExpiredToken ExpiredTokenException"), examples=(
        v2("ExpiredTokenException", 403, "The security token included in the request is expired"),
        v1("ExpiredToken", 403, "The security token included in the request is expired"))),
    held("1.5/31", EX_CONFIG, "4.7.0", _SUBSCRIBE,
        codes=words("OptInRequired SubscriptionRequiredException"), examples=(
        v2("OptInRequired", 403, "The AWS Access Key Id needs a subscription for the service"),)),
    held("1.5/34", EX_SOFTWARE, "4.3.5", _WRONG_ENDPOINT,
        codes=words("ValidationError ValidationException InvalidAction MalformedQueryString "
            "MissingParameter MissingAction UnknownOperationException "
            "SerializationException"), examples=(
        v2("UnknownOperationException", 404, "Unknown operation"),
        v1("InvalidAction", 400, "Could not find operation SendRawEmail"),
        v2("ValidationException", 400, "1 validation error detected"))),
    # SES API errors: the service. 500, 502, 504 may come after the mail was taken; 503, 408 not.
    deferred("1.5/6", _SOON, "4.3.2", _WAIT, http=frozenset({503}),
        codes=words("ServiceUnavailable ServiceUnavailableException"), examples=(
        v2("ServiceUnavailableException", 503, "The request has failed."),
        v1("ServiceUnavailable", 503, "Service is unavailable"))),
    deferred("1.5/8", _SOON, "4.4.2", _WAIT, http=frozenset({408}),
        codes=words("RequestTimeout RequestTimeoutException"), examples=(
        v2("RequestTimeoutException", 408, "Read of the request timed out"),)),
    deferred("1.5/7", _AMBIGUOUS, "4.3.0", _PERHAPS_SENT, http=frozenset({502, 504}), examples=(
        v2("", 502),
        v2("", 504))),
    deferred("1.5/5", _AMBIGUOUS, "4.3.0", _PERHAPS_SENT, http=frozenset({500}),
        codes=words("InternalFailure InternalServerError InternalServiceErrorException "
            "InternalServiceError InternalServerException"), examples=(
        v2("InternalServiceErrorException", 500, "An internal error occurred"),
        v1("InternalFailure", 500, "The request processing has failed"))),
    # SES API errors: on our own side. Classes of botocore.
    deferred("1.5/9", _SOON, "4.4.1", _WAIT,
        exceptions=words("EndpointConnectionError ConnectTimeoutError ProxyConnectionError"),
        examples=(
        client("EndpointConnectionError", "refused"),
        client("ConnectTimeoutError"))),
    deferred("1.5/11", _SOON, "4.7.5", _CERTIFICATE, exceptions=words("SSLError"),
        said=said("certificate", "handshake", "wrong.version", "unknown.protocol"), examples=(
        client("SSLError", "untrusted"),)),
    deferred("1.5/10", _AMBIGUOUS, "4.4.2", _PERHAPS_SENT,
        exceptions=words("ReadTimeoutError ConnectionClosedError HTTPClientError SSLError "
            "IncompleteReadError ResponseParserError"), examples=(
        client("ReadTimeoutError", "silent"),
        client("ConnectionClosedError", "dropped"))),
    deferred("1.5/32-retrieval", _SOON, "4.7.8", _NO_ROLE, quotes=False,
        exceptions=words("CredentialRetrievalError MetadataRetrievalError TokenRetrievalError"),
        examples=(
        client("CredentialRetrievalError"),)),
    held("1.5/32", EX_CONFIG, "4.7.8", _NO_KEYS, exceptions=words("NoCredentialsError"), examples=(
        client("NoCredentialsError"),)),
    held("1.5/32-profile", EX_CONFIG, "4.7.8", _MEND_PROFILE,
        exceptions=words("PartialCredentialsError ProfileNotFound NoRegionError ConfigParseError "
            "InvalidConfigError SSOError LoginError UnknownCredentialError "
            "UnauthorizedSSOTokenError"), examples=(
        client("ProfileNotFound"),
        client("SSOTokenLoadError"))),
    held("1.5/33-configuration", EX_CONFIG, "4.3.5", _REGION,
        exceptions=words("MissingDependencyException UnknownRegionError InvalidRegionError "
            "UnknownEndpointError EndpointProviderError"), examples=(
        client("InvalidRegionError"),)),
    # Not quoted: the text repeats the parameters, of which one is the message.
    held("1.5/33", EX_SOFTWARE, "4.3.5", _BUG, quotes=False,
        exceptions=words("ParamValidationError ValidationError"), examples=(
        client("ParamValidationError"),)),
    # SMTP replies. One that ends an idle or worn-out session: nothing was sent, start a new one.
    deferred("2.1/421-messages", _NOW, "4.4.5", _WAIT, codes=words("421"), commands=ANY_COMMAND,
        said=said("maximum message count", "too many messages"), examples=(
        smtp("421", "MAIL",
           "Connection closed by server. Maximum message count per session reached."),)),
    deferred("2.1/451-idle", _NOW, "4.4.2", _WAIT, codes=words("421 451"), commands=BEFORE_TEXT,
        said=said("timeout waiting"), examples=(
        smtp("451", "MAIL", "4.4.2 Timeout waiting for data from client."),
        smtp("421", "MAIL", "Timeout waiting for data from client."))),
    deferred("2.1/421", _SOON, "4.4.5", _WAIT, codes=words("421"), commands=ANY_COMMAND, examples=(
        smtp("421", "CONNECT", "Too many concurrent SMTP connections"),)),
    deferred("2.1/451", _SOON, "4.3.0", _WAIT, codes=words("451"), commands=ANY_COMMAND, examples=(
        smtp("451", "TEXT", "Temporary service failure"),)),
    deferred("2.1/454-rate", _SOON, "4.4.5", _SLOWER, codes=_454, commands=ANY_COMMAND, said=_RATE,
        examples=(
        smtp("454", "TEXT", "Throttling failure: Maximum sending rate exceeded."),
        smtp("454", "MAIL", "Throttling failure: Maximum sending rate exceeded."))),
    deferred("2.1/454-quota", _LATER, "4.4.5", _QUOTA_USED, codes=_454, commands=ANY_COMMAND,
        said=_DAILY, examples=(
        smtp("454", "TEXT", "Throttling failure: Daily message quota exceeded."),)),
    deferred("2.1/454-old-key", _LATER, "4.4.5", _NEW_KEY, codes=_454, commands=ANY_COMMAND,
        said=_OLD_KEY, examples=(
        smtp("454", "TEXT", "Throttling failure: Maximum SigV2 SMTP sending rate exceeded."),)),
    deferred("2.1/454-login", _SOON, "4.7.0", _WAIT, codes=_454, commands=words("AUTH"), examples=(
        smtp("454", "AUTH", "Temporary authentication failure"),)),
    deferred("2.1/454", _SOON, "4.3.0", _WAIT, codes=_454, commands=ANY_COMMAND, examples=(
        smtp("454", "TEXT", "Temporary service failure"),)),
    failed("2.1/501", EX_DATAERR, "5.1.7", _MEND_SENDER, codes=words("501 553"),
        commands=words("MAIL"), examples=(
        smtp("501", "MAIL", "Invalid MAIL FROM address provided"),
        smtp("553", "MAIL", "<a@b> Invalid email address"))),
    held("2.1/530", EX_CONFIG, "4.7.0", _SMTP_LOGIN, codes=words("530"), commands=ANY_COMMAND,
        examples=(
        smtp("530", "MAIL", "Authentication required"),)),
    held("2.1/535-subscription", EX_CONFIG, "4.7.0", _SUBSCRIBE, codes=words("535"),
        commands=words("AUTH"), said=_NOT_SUBSCRIBED, examples=(
        smtp("535", "AUTH", "Account not subscribed to SES"),)),
    held("2.1/535", EX_CONFIG, "4.7.8", _SMTP_LOGIN, codes=words("535"), commands=words("AUTH"),
        examples=(
        smtp("535", "AUTH", "Authentication Credentials Invalid"),)),
    failed("2.1/552", EX_UNAVAILABLE, "5.3.4", _SHORTEN, codes=words("552"), commands=ANY_COMMAND,
        examples=(
        smtp("552", "TEXT", "Message is too long."),)),
    failed("2.1/553", EX_NOUSER, "5.1.1", _MEND_ADDRESS, codes=words("553"), commands=words("RCPT"),
        examples=(
        smtp("553", "RCPT", "<nobody@example.net> address unknown"),)),
    held("2.1/554-denied", EX_NOPERM, "4.7.0", _ALLOW, codes=_554, commands=ANY_COMMAND,
        said=said("access denied"), about_policy=True, scope="author", examples=(
        smtp("554", "TEXT",
           "Access denied: User `arn:aws:iam::123456789012:user/x' is not authorized to "
           "perform `ses:SendRawEmail' on resource "
           "`arn:aws:ses:us-east-1:123456789012:identity/x'"),)),
    held("2.1/554-sandbox", EX_NOPERM, "4.7.1", _SANDBOX, codes=_554, commands=ANY_COMMAND,
        said=_UNVERIFIED, blames_recipient=True, singly=True, scope="recipient", examples=(
        smtp("554", "TEXT",
           "Message rejected: Email address is not verified. The following identities "
           "failed the check in region US-EAST-1: recipient@example.net"),)),
    held("2.1/554-identity", EX_CONFIG, "4.7.1", _VERIFY, codes=_554, commands=ANY_COMMAND,
        said=_UNVERIFIED, scope="author", examples=(
        smtp("554", "TEXT",
           "Message rejected: Email address is not verified. The following identities "
           "failed the check in region US-EAST-1: stranger@elsewhere.example"),)),
    held("2.1/554-paused", EX_NOPERM, "4.7.1", _ACCOUNT_PAUSED, codes=_554, commands=ANY_COMMAND,
        said=_PAUSED, examples=(
        smtp("554", "TEXT",
           "Message rejected: Sending paused for this account. For more information, please "
           "check the inbox of the email address associated with your AWS account."),)),
    held("2.1/554-set-paused", EX_UNAVAILABLE, "4.7.1", _SET_IS_PAUSED, codes=_554,
        commands=ANY_COMMAND, said=_SET_PAUSED, examples=(
        smtp("554", "TEXT",
           "Transaction failed: Email sending for the configuration set news is paused."),)),
    held("2.1/554-no-set", EX_CONFIG, "4.3.5", _MAKE_SET, codes=_554, commands=ANY_COMMAND,
        said=_NO_SET, examples=(
        smtp("554", "TEXT", "Transaction failed: Configuration set <news> does not exist."),)),
    held("2.1/554-recipients", EX_SOFTWARE, "4.5.3", _BUG, codes=_554, commands=ANY_COMMAND,
        said=_TOO_MANY, examples=(
        smtp("554", "TEXT", "Transaction failed: Recipient count exceeds 50."),)),
    failed("2.1/554-suppressed", EX_UNAVAILABLE, "5.7.1", _REFUSED_FOR_GOOD, codes=_554,
        commands=ANY_COMMAND, said=_SUPPRESSED, singly=True, examples=(
        smtp("554", "TEXT", "Message rejected: Address blacklisted."),)),
    failed("2.1/554-line", EX_DATAERR, "5.6.0", _MEND_LINE, codes=_554, commands=ANY_COMMAND,
        said=_NO_FIELD, quotes=False, examples=(
        smtp("554", "TEXT", "Transaction failed: Illegal header 'Dear Sue'."),)),
    failed("2.1/554-header", EX_DATAERR, "5.6.0", _MEND_MESSAGE, codes=_554, commands=ANY_COMMAND,
        said=_BAD_HEADER, examples=(
        smtp("554", "TEXT", "Transaction failed: Duplicate header 'MIME-Version'."),)),
    failed("2.1/554-domain", EX_NOHOST, "5.1.2", _MEND_ADDRESS, codes=_554, commands=ANY_COMMAND,
        said=_BAD_DOMAIN, singly=True, examples=(
        smtp("554", "TEXT", "Transaction failed: Domain contains illegal character"),)),
    failed("2.1/554-local", EX_NOUSER, "5.1.3", _MEND_ADDRESS, codes=_554, commands=ANY_COMMAND,
        said=_BAD_LOCAL_PART, singly=True, examples=(
        smtp("554", "TEXT", "Transaction failed: Local address contains control or whitespace"),)),
    failed("2.1/554-address", EX_DATAERR, "5.1.3", _MEND_ADDRESS, codes=_554, commands=ANY_COMMAND,
        said=_BAD_ADDRESS, singly=True, examples=(
        smtp("554", "TEXT", "Transaction failed: Missing final '@domain'"),)),
    failed("2.1/554-content", EX_UNAVAILABLE, "5.7.1", _REFUSED_FOR_GOOD, codes=_554,
        commands=ANY_COMMAND, said=_CONTENT, examples=(
        smtp("554", "TEXT", "Message rejected: Message contains a virus."),)),
    # The SMTP connection. Classes of Python: smtplib's and the socket's.
    held("2.1/no-tls", EX_CONFIG, "4.7.4", _NO_TLS, exceptions=words("SMTPNotSupportedError"),
        commands=BEFORE_TEXT, examples=(
        client("SMTPNotSupportedError", command="STARTTLS"),)),
    deferred("2.1/certificate", _SOON, "4.7.5", _CERTIFICATE,
        exceptions=words("SSLCertVerificationError"), commands=words("CONNECT STARTTLS"), examples=(
        client("SSLCertVerificationError", "untrusted", "CONNECT"),)),
    deferred("2.1/unreachable", _SOON, "4.4.1", _WAIT, exceptions=words("OSError"),
        commands=words("CONNECT"), examples=(
        client("ConnectionRefusedError", "refused", "CONNECT"),
        client("TimeoutError", "silent", "CONNECT"))),
    deferred("2.1/lost", _SOON, "4.4.2", _WAIT, exceptions=words("OSError"), commands=BEFORE_TEXT,
        examples=(
        client("SMTPServerDisconnected", "dropped", "DATA"),)),
    deferred("2.1/lost-text", _AMBIGUOUS, "4.4.2", _PERHAPS_SENT, exceptions=words("OSError"),
        commands=_TEXT, examples=(
        client("SMTPServerDisconnected", "dropped", "TEXT"),)),
)
# fmt: on
