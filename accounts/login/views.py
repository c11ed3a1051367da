"""Views of log-in settings."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import SecurityEmailsForm
from accounts.models import User


@require_POST
@login_required
def security_emails(request: HttpRequest) -> HttpResponse:
    """Turn the emails about new devices and access tokens on or off."""
    form = SecurityEmailsForm(request.POST, instance=cast(User, request.user))
    if form.is_valid():
        is_wanted = form.save().wants_security_emails
        text = (
            _("We'll email you about new devices and access tokens.")
            if is_wanted
            else _("We won't email you about new devices and access tokens.")
        )
        messages.success(request, text)
    return redirect("accounts:profile")
