"""A POST to an address of the site, signed, so that its receiver knows who speaks and that it is not a replay."""

import hashlib
import hmac
from datetime import datetime

import httpx
from pydantic import SecretStr

from forge_hub.alerts.delivery.ports import ATTEMPT_SECONDS, DeliveryFailedError, Notice

TIME_HEADER = "Forge-Timestamp"
SIGNATURE_HEADER = "Forge-Signature"
ID_HEADER = "Forge-Delivery"


class Webhook:
    """The channel ``webhook``. Follows no redirects: a notice goes where the admin said and nowhere else.

    Args:
        client: Makes the connections; owned and closed by the caller.
        address: Where to post.
        secret: Shared with the receiver.
    """

    name = "webhook"

    def __init__(self, client: httpx.AsyncClient, address: str, secret: SecretStr) -> None:
        self._client = client
        self._address = address
        self._secret = secret

    async def deliver(self, notice: Notice, at: datetime) -> None:
        """Post the notice as JSON; any 2xx answer counts as taken."""
        body = notice.model_dump_json().encode()
        timestamp = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            ID_HEADER: notice.id,
            TIME_HEADER: timestamp,
            SIGNATURE_HEADER: signature(self._secret, timestamp, body),
        }
        try:
            answer = await self._client.post(
                self._address, content=body, headers=headers, timeout=ATTEMPT_SECONDS, follow_redirects=False
            )
        except httpx.TimeoutException:
            raise DeliveryFailedError("no answer in time") from None
        except httpx.HTTPError as error:
            raise DeliveryFailedError(f"not reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise DeliveryFailedError(f"answered {answer.status_code}")


def signature(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """Return the signature of a message: HMAC-SHA256 over time, a dot and the body, in hexadecimal (RFC 2104)."""
    signed = hmac.new(secret.get_secret_value().encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"
