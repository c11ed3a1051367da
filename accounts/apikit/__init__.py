"""The toolkit of all apps' APIs: authentication, rate limits, errors, paging."""
