"""Two-factor authentication with allauth: encrypted secrets, forms of our own, and the requirement for staff."""
