"""Changes to allauth's two-factor authentication: encrypted secrets, and our own names."""

import base64
import hashlib
import hmac
import logging
import secrets
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes
from django.utils.translation import gettext as _

from accounts.models import User

logger = logging.getLogger(__name__)


class TwoFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts secrets of authenticator apps and seeds of recovery codes with the site's key."""

    def encrypt(self, text: str) -> str:
        """Return ``text`` encrypted."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the decrypted text; if the site's key has changed, a random secret that matches no code. An empty
        secret would be harmful, because anybody could compute its codes.
        """
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error("a second factor can't be read: SECRET_KEY is not the one it was sealed with")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_label(self, user: User) -> str:
        """Return the username, so that no app shows the e-mail address."""
        return user.username

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site as browsers show it."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.SITE_NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Return the listener as browsers show them."""
        return {**super().get_public_key_credential_user_entity(user), "name": user.username}

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002
        """Return a name for a new passkey."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [hmac.new(force_bytes(key), b"two-factor secrets", hashlib.sha256).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
