"""SESv2 operations on identities."""

from __future__ import annotations

from . import addresses
from .identity import (
    NOT_STARTED,
    PENDING,
    REJECT,
    SUCCESS,
    USE_DEFAULT,
    Identity,
)
from .operations import Document, Operation, one_of, page, required
from .refusals import ALREADY_EXISTS, BAD_VALUE, NO_CONFIGURATION_SET, NOT_FOUND, Refusal
from .state import State

_LENGTHS = ("RSA_2048_BIT", "RSA_1024_BIT")
_EXTERNAL = "EXTERNAL"
_ORIGINS = ("AWS_SES", _EXTERNAL)
_PATH = "/v2/email/identities"
_ONE = _PATH + "/{EmailIdentity}"
_PAGE = 1000


def _create(state: State, members: Document) -> Document:
    name = _normal(required(members, "EmailIdentity"))
    if name in state.identities.known:
        raise Refusal(ALREADY_EXISTS, f"Email identity {name} already exist.")
    identity = Identity(name, created_at=state.now())
    _check_configuration_set(state, members.get("ConfigurationSetName"))
    identity.configuration_set = members.get("ConfigurationSetName") or ""
    identity.labels = {one["Key"]: one["Value"] for one in members.get("Tags") or ()}
    _set_keys(identity, members.get("DkimSigningAttributes") or {})
    state.identities.known[name] = identity
    answer: Document = {"IdentityType": _type(identity), "VerifiedForSendingStatus": False}
    if identity.is_domain:
        answer["DkimAttributes"] = _dkim(state, identity)
    return answer


def _get(state: State, members: Document) -> Document:
    identity = _known(state, members)
    state.look(identity)
    info: Document = {}
    if identity.checked_at is not None:
        info["LastCheckedTimestamp"] = identity.checked_at
    if identity.succeeded_at is not None:
        info["LastSuccessTimestamp"] = identity.succeeded_at
    if identity.error:
        info["ErrorType"] = identity.error
    answer = {
        "IdentityType": _type(identity),
        "FeedbackForwardingStatus": identity.feedback_forwarding,
        "VerifiedForSendingStatus": identity.status == SUCCESS,
        "DkimAttributes": _dkim(state, identity),
        "MailFromAttributes": _mail_from(identity),
        "Policies": {},
        "Tags": [{"Key": key, "Value": value} for key, value in identity.labels.items()],
        "VerificationStatus": identity.status,
        "VerificationInfo": info,
    }
    if identity.configuration_set:
        answer["ConfigurationSetName"] = identity.configuration_set
    return answer


def _delete(state: State, members: Document) -> Document:
    state.identities.discard(_known(state, members).name)
    return {}


def _list(state: State, members: Document) -> Document:
    names, more = page(sorted(state.identities.known), members, _PAGE)
    found = [state.identities.known[name] for name in names]
    summaries = [
        {
            "IdentityType": _type(one),
            "IdentityName": one.name,
            "SendingEnabled": one.status == SUCCESS,
            "VerificationStatus": one.status,
        }
        for one in found
    ]
    return {"EmailIdentities": summaries, **more}


def _put_mail_from(state: State, members: Document) -> Document:
    identity = _known(state, members)
    behaviour = one_of(members, "BehaviorOnMxFailure", (USE_DEFAULT, REJECT), USE_DEFAULT)
    domain = (members.get("MailFromDomain") or "").lower()
    parent = identity.name.rpartition("@")[2]
    if domain and not domain.endswith("." + parent):
        raise Refusal(
            BAD_VALUE,
            f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity "
            f"<{identity.name}>.",
        )
    if domain != identity.mail_from:
        identity.mail_from_status = PENDING
    identity.mail_from, identity.on_mx_failure = domain, behaviour
    return {}


def _put_signing(state: State, members: Document) -> Document:
    """New keys, as SES makes them when they are asked for again."""
    identity = _known(state, members)
    if not identity.is_domain:
        raise Refusal(BAD_VALUE, "The EmailIdentity value must be a valid domain.")
    attributes = members.get("SigningAttributes") or {}
    if one_of(members, "SigningAttributesOrigin", _ORIGINS, "") == _EXTERNAL:
        required(attributes, "DomainSigningSelector")
        required(attributes, "DomainSigningPrivateKey")
    _set_keys(identity, attributes)
    identity.created_at = state.now()
    identity.renew()
    return {
        "DkimStatus": identity.status,
        "DkimTokens": identity.tokens,
        **_zone(state, identity),
    }


def _put_dkim(state: State, members: Document) -> Document:
    name = members["EmailIdentity"]
    if name.lower() not in state.identities.known:
        raise Refusal(BAD_VALUE, f"Domain {name} is not verified for DKIM signing.")
    _known(state, members).signing = bool(members.get("SigningEnabled"))
    return {}


def _put_feedback(state: State, members: Document) -> Document:
    _known(state, members).feedback_forwarding = bool(members.get("EmailForwardingEnabled"))
    return {}


def _put_configuration_set(state: State, members: Document) -> Document:
    """A default for mails that name none; without a name it is taken away."""
    identity = _known(state, members)
    _check_configuration_set(state, members.get("ConfigurationSetName"))
    identity.configuration_set = members.get("ConfigurationSetName") or ""
    return {}


OPERATIONS = (
    Operation("CreateEmailIdentity", "POST", _PATH, _create),
    Operation("GetEmailIdentity", "GET", _ONE, _get),
    Operation("DeleteEmailIdentity", "DELETE", _ONE, _delete),
    Operation(
        "ListEmailIdentities", "POST", "/v2/email/list-identities", _list, older=("GET", _PATH)
    ),
    Operation("PutEmailIdentityMailFromAttributes", "PUT", _ONE + "/mail-from", _put_mail_from),
    Operation(
        "PutEmailIdentityDkimSigningAttributes",
        "PUT",
        _ONE + "/dkim/signing",
        _put_signing,
        older=("PUT", "/v1/email/identities/{EmailIdentity}/dkim/signing"),
    ),
    Operation("PutEmailIdentityDkimAttributes", "PUT", _ONE + "/dkim", _put_dkim),
    Operation("PutEmailIdentityFeedbackAttributes", "PUT", _ONE + "/feedback", _put_feedback),
    Operation(
        "PutEmailIdentityConfigurationSetAttributes",
        "PUT",
        _ONE + "/configuration-set",
        _put_configuration_set,
    ),
)


def _known(state: State, members: Document) -> Identity:
    name = members["EmailIdentity"]
    found = state.identities.known.get(name) or state.identities.known.get(name.lower())
    if found is None:
        raise Refusal(NOT_FOUND, f"Email identity {name} does not exist.")
    return found


def _normal(name: str) -> str:
    """The name as SES keeps it; Refusal if it is neither a domain nor an address."""
    if "@" in name:
        addresses.check(name)
        return name
    addresses.check(f"postmaster@{name}")
    if "." not in name:
        raise Refusal(BAD_VALUE, f"Invalid domain name {name}.")
    return name.lower()


def _check_configuration_set(state: State, name: str | None) -> None:
    if name and name not in state.configuration_sets:
        raise Refusal(NO_CONFIGURATION_SET, f"Configuration set <{name}> does not exist.")


def _set_keys(identity: Identity, attributes: Document) -> None:
    identity.selector = attributes.get("DomainSigningSelector") or ""
    usual = "RSA_2048_BIT" if identity.is_domain else "RSA_1024_BIT"
    identity.key_length = one_of(attributes, "NextSigningKeyLength", _LENGTHS, usual)


def _type(identity: Identity) -> str:
    return "DOMAIN" if identity.is_domain else "EMAIL_ADDRESS"


def _dkim(state: State, identity: Identity) -> Document:
    attributes: Document = {
        "SigningEnabled": identity.signing and identity.is_domain,
        "Status": identity.status if identity.is_domain else NOT_STARTED,
        "SigningAttributesOrigin": _EXTERNAL if identity.selector else "AWS_SES",
        **_zone(state, identity),
    }
    if identity.is_domain:
        attributes["Tokens"] = identity.tokens
    if not identity.selector:
        attributes["NextSigningKeyLength"] = identity.key_length
    if not identity.selector and identity.is_domain:
        attributes["CurrentSigningKeyLength"] = identity.key_length
        attributes["LastKeyGenerationTimestamp"] = identity.created_at
    return attributes


def _zone(state: State, identity: Identity) -> Document:
    """Where the keys are that SES makes: own ones are in the domain itself."""
    if identity.selector or not identity.is_domain:
        return {}
    return {"SigningHostedZone": state.signing_hosted_zone}


def _mail_from(identity: Identity) -> Document:
    attributes = {"BehaviorOnMxFailure": identity.on_mx_failure}
    if identity.mail_from:
        attributes["MailFromDomain"] = identity.mail_from
        attributes["MailFromDomainStatus"] = identity.mail_from_status
    return attributes
